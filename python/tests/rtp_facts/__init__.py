"""Probes of tstrans.rtp, one a fact of its surface, for any release of the package.

Each probe is a function whose name begins with the number of its fact; it gives something that JSON can
say, and an exception as its class and the number of its kind. `python rtp_facts` prints them all, a line
each; `rtp_facts.json` beside this folder says what they are to be, here and in the published releases.
"""
