package aio

import (
	"time"

	"github.com/tstrans/tstrans/core/audio"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/flow"
)

// voice is the audio half of a session.
type voice struct {
	s         *Session
	jitter    *flow.JitterBuffer
	playout   *flow.Playout
	concealer *audio.Concealer
	keeps     bool // what was decoded, as something may have to be concealed
	noise     *audio.Noise
	noiseAt   int
	presses   flow.EventReceiver
	decoded   int // samples of the last decoded frame
	concealed uint64
	failed    uint64 // to decode
	lastHeard int64
	tail      *timer
	play      *timer
	ptime     int64 // ns

	pace     *timer
	paceFrom int64 // the tick the empty ticks are counted from
	queue    [][]byte
	spare    [][]byte
	paced    uint64
	empty    uint64
	silence  int
	talked   bool
	told     uint64 // comfort noise sent
	refused  uint64 // beyond MaxQueue
	level    float64
	waits    bool // somebody waits for the queue to run empty
}

// noiseRefresh is how many empty ticks lie between two comfort noise packets.
const noiseRefresh = 150

func newVoice(s *Session) (*voice, error) {
	c := &s.cfg
	v := &voice{s: s, level: audio.NoiseDefault}
	j := flow.JitterConfig{Capacity: c.Capacity, Prefetch: c.Prefetch, SkipGaps: c.SkipGaps, KeepHeld: !c.AsReference}
	if c.Playout {
		j.Prefetch, j.SkipGaps = 0, true
	}
	var err error
	if v.jitter, err = flow.NewJitterBuffer(j); err != nil {
		return nil, err
	}
	if c.SampleRate > 0 && c.FrameSamples > 0 {
		v.ptime = int64(c.FrameSamples) * int64(time.Second) / int64(c.SampleRate)
		v.concealer = audio.NewConcealer(c.SampleRate, audio.DefaultFade)
		v.keeps = c.Playout || c.SkipGaps && c.Conceal
	} else {
		v.ptime = int64(20 * time.Millisecond)
	}
	if c.Playout {
		v.playout, err = flow.NewPlayout(flow.PlayoutConfig{
			SampleRate: c.SampleRate, FrameSamples: c.FrameSamples, MaxDelayMS: c.MaxDelayMS,
			WaitLate: !c.AsReference,
		}, seconds(time.Now()))
		if err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *voice) start() {
	v.tail = newTimer(v.flushTail)
	if v.playout != nil {
		v.play = newTimer(v.playTick)
	}
	if v.s.cfg.Paced {
		v.pace = newTimer(v.paceTick)
		v.paceFrom = now()
	}
}

func (v *voice) stop() {
	for _, t := range [3]*timer{v.tail, v.play, v.pace} {
		v.s.e.timers.stop(t)
	}
	v.queue = nil
	if v.s.cfg.Codec != nil {
		_ = v.s.cfg.Codec.Close() // nothing of a codec can fail to close
	}
}

// --- in

func (v *voice) packet(t time.Time, p *rtp.Packet) {
	c := &v.s.cfg
	if v.s.from(p.SSRC) {
		v.jitter.Reset()
		if v.playout != nil {
			v.playout.Reset()
		}
		v.presses = flow.EventReceiver{}
		v.decoded = 0
	}
	v.s.in.Add(seconds(t), p.Sequence, p.Timestamp)
	if int(p.PayloadType) == c.DTMFType {
		v.other(p.Sequence)
		if v.playout != nil {
			v.playout.Suppress()
		}
		if e, ok := v.presses.Add(p.Timestamp, p.Payload); ok && v.s.hub != nil {
			v.s.hub.put(v.s, RecDTMF, 0, p.Timestamp, nil, uint32(e.Digit()[0]), uint32(e.Duration))
		}
		return
	}
	if int(p.PayloadType) == c.NoiseType && c.PayloadType != c.NoiseType {
		level := audio.ParseNoise(p.Payload)
		v.other(p.Sequence)
		if v.playout != nil {
			v.playout.SetNoise(level, p.Timestamp)
			v.startClock()
		}
		if v.s.hub != nil {
			v.s.hub.put(v.s, RecNoise, 0, p.Timestamp, nil, uint32(level), 0) //nolint:gosec // seven bits
		}
		return
	}
	_, f := v.jitter.Add(p.Sequence, p.Timestamp, p.Marker, p.Payload)
	v.lastHeard = now()
	if spilled := v.jitter.Spilled(); spilled != nil {
		// The frame is in a buffer that delivering does not touch.
		for i := range spilled {
			v.frame(t, &spilled[i])
		}
	}
	v.frames(t, f)
	if v.playout == nil && !c.AsReference && v.tail.index < 0 {
		v.s.e.timers.set(v.tail, v.lastHeard+int64(tailAfter))
	}
}

func (v *voice) other(seq uint16) {
	if f := v.jitter.MarkOther(seq); f != nil {
		v.frames(time.Now(), f)
	}
}

// frames delivers a frame and what became complete with it.
func (v *voice) frames(t time.Time, f *flow.Frame) {
	for ; f != nil; f = v.jitter.Next() {
		v.frame(t, f)
		if v.s.cfg.AsReference {
			return
		}
	}
}

// flushTail delivers what is held back once the sender has gone quiet.
func (v *voice) flushTail(t int64) {
	if due := v.lastHeard + int64(tailAfter); due > t {
		v.s.e.timers.set(v.tail, due)
		return
	}
	for f := v.jitter.Drain(); f != nil; f = v.jitter.Drain() {
		v.frame(time.Now(), f)
	}
}

func (v *voice) frame(t time.Time, f *flow.Frame) {
	if v.playout != nil {
		v.playout.Put(seconds(t), f.Timestamp, f.Data)
		v.startClock()
		return
	}
	c := &v.s.cfg
	if f.Lost > 0 && c.SkipGaps && c.Conceal && (c.Codec != nil || c.Foreign) && v.decoded > 0 {
		v.concealLost(f.Lost, f.Timestamp)
	}
	v.decode(f.Timestamp, f.Data, 0)
}

// startClock lets the playout tick, where it does not.
func (v *voice) startClock() {
	if v.play.index < 0 {
		v.s.e.timers.set(v.play, now()+v.ptime)
	}
}

// decode delivers a payload as PCM where there is a codec.
func (v *voice) decode(ts uint32, payload []byte, flags uint16) {
	c, h := &v.s.cfg, v.s.hub
	switch {
	case c.Foreign:
		v.decoded = c.FrameSamples
		if h != nil {
			h.put(v.s, RecRaw, flags, ts, payload, 0, 0)
		}
		return
	case c.Codec == nil:
		if h != nil {
			h.put(v.s, RecAudio, flags, ts, payload, 0, 0)
		}
		return
	}
	pcm, err := c.Codec.Decode(v.s.e.packet[:0], payload)
	v.s.e.packet = pcm[:0]
	if err != nil {
		v.failed++
		if flags&FlagClock != 0 {
			v.playout.Concealed++
			v.fill(ts, flags)
		}
		return
	}
	v.decoded = len(pcm) / 2
	if v.keeps {
		v.concealer.Update(pcm)
	}
	if h != nil {
		h.put(v.s, RecAudio, flags, ts, pcm, 0, 0)
	}
}

// concealLost stands in for lost packets with one record.
func (v *voice) concealLost(lost int, next uint32) {
	c, h := &v.s.cfg, v.s.hub
	ts := next - uint32(lost*v.decoded) //nolint:gosec // both are bounded by the jitter buffer
	v.concealed += uint64(lost)         //nolint:gosec // positive
	if c.Foreign {
		if h != nil {
			h.put(v.s, RecConceal, 0, ts, nil, uint32(lost), 0) //nolint:gosec // positive
		}
		return
	}
	v.deliverConcealed(ts, lost*v.decoded, 0)
}

func (v *voice) deliverConcealed(ts uint32, samples int, flags uint16) {
	pcm, own, err := v.s.cfg.Codec.Conceal(v.s.e.packet[:0], samples)
	if err != nil {
		v.failed++
		return
	}
	if !own {
		pcm = v.concealer.Conceal(v.s.e.packet[:0], samples)
	}
	v.s.e.packet = pcm[:0]
	if v.s.hub != nil {
		v.s.hub.put(v.s, RecAudio, flags, ts, pcm, 0, 0)
	}
}

// fill stands in for one frame of the playout.
func (v *voice) fill(ts uint32, flags uint16) {
	if v.s.cfg.Foreign {
		if v.s.hub != nil {
			v.s.hub.put(v.s, RecConceal, flags, ts, nil, 1, 0)
		}
		return
	}
	v.deliverConcealed(ts, v.s.cfg.FrameSamples, flags)
}

func (v *voice) playTick(int64) {
	due := v.play.due
	switch k := v.playout.Tick(seconds(time.Now())); k.Action {
	case flow.ActDecode:
		v.decode(k.Timestamp, k.Payload, FlagClock)
	case flow.ActConceal:
		v.fill(k.Timestamp, FlagClock)
	case flow.ActNoise:
		v.noiseFrame(k)
	case flow.ActNone:
		if v.playout.Depth() == 0 {
			return // the next frame starts the clock again
		}
	}
	next := due + v.ptime
	if behind := now() - next; behind > int64(time.Second) {
		next += behind // the machine slept: no burst of missed ticks
	}
	v.s.e.timers.set(v.play, next)
}

func (v *voice) noiseFrame(k flow.Tick) {
	if v.s.cfg.Foreign {
		if v.s.hub != nil {
			v.s.hub.put(v.s, RecSilence, FlagClock, k.Timestamp, nil, uint32(k.Level), 0) //nolint:gosec // seven bits
		}
		return
	}
	if v.noise == nil || v.noiseAt != k.Level {
		v.noise, v.noiseAt = audio.NewNoise(k.Level, 0), k.Level
	}
	pcm := v.noise.Generate(v.s.e.packet[:0], v.s.cfg.FrameSamples)
	v.s.e.packet = pcm[:0]
	if v.s.hub != nil {
		v.s.hub.put(v.s, RecAudio, FlagClock, k.Timestamp, pcm, 0, 0)
	}
}

// --- out

// posted takes what the user posted.
func (s *Session) posted(p *post, data []byte) {
	v := s.voice
	if v == nil {
		return
	}
	payload := data
	if p.kind == PostPCM || p.kind == PostPacedPC {
		if s.cfg.NoiseSend {
			v.level += (float64(audio.NoiseLevel(data)) - v.level) / 8
		}
		b, err := s.cfg.Codec.Encode(s.e.packet[:0], data)
		s.e.packet = b[:0]
		if err != nil {
			s.unsent++
			return
		}
		payload = b
	}
	if p.kind == PostPaced || p.kind == PostPacedPC {
		v.enqueue(payload)
		return
	}
	s.send(s.out.PayloadType, false, p.stamp, payload)
}

func (v *voice) enqueue(payload []byte) {
	if len(v.queue) >= MaxQueue {
		v.refused++
		return
	}
	v.catchUp(now())
	var b []byte
	if n := len(v.spare); n > 0 {
		b, v.spare = v.spare[n-1][:0], v.spare[:n-1]
	}
	v.queue = append(v.queue, append(b, payload...))
	if v.pace.index < 0 {
		v.s.e.timers.set(v.pace, v.paceFrom+v.ptime)
	}
}

// catchUp counts the empty ticks that passed while no timer ran.
func (v *voice) catchUp(t int64) {
	if v.pace.index >= 0 {
		return
	}
	n := (t - v.paceFrom) / v.ptime
	if n <= 0 {
		return
	}
	v.paceFrom += n * v.ptime
	v.empty += uint64(n)                               //nolint:gosec // positive
	v.silence += int(n)                                //nolint:gosec // see above
	v.s.out.Timestamp += uint32(n) * v.s.out.Increment //nolint:gosec // it wraps
}

func (v *voice) paceTick(int64) {
	due := v.pace.due
	v.paceFrom = due
	s := v.s
	if len(v.queue) == 0 {
		v.emptyTick()
		if !v.noisy() {
			return // catchUp counts the rest
		}
	} else {
		b := v.queue[0]
		v.queue[0] = nil
		v.queue = v.queue[1:]
		// A talkspurt begins with the marker (RFC 3551 §4.1).
		s.send(s.out.PayloadType, v.talked && v.silence > 0, s.out.Step(), b)
		if len(v.spare) < 16 {
			v.spare = append(v.spare, b)
		}
		v.paced++
		v.silence, v.talked = 0, true
		if len(v.queue) == 0 {
			v.queue = nil
			if v.waits && s.hub != nil {
				v.waits = false
				s.hub.put(s, RecDrained, 0, 0, nil, 0, 0)
			}
		}
	}
	next := due + v.ptime
	if behind := now() - next; behind > int64(time.Second) {
		next += behind
	}
	s.e.timers.set(v.pace, next)
}

// noisy tells whether a pause needs a timer.
func (v *voice) noisy() bool { return v.s.cfg.NoiseSend && v.talked }

func (v *voice) emptyTick() {
	v.empty++
	if v.noisy() && v.silence%noiseRefresh == 0 {
		v.s.send(uint8(v.s.cfg.NoiseType), false, v.s.out.Timestamp, []byte{audio.NoisePayload(int(v.level))}) //nolint:gosec // seven bits
		v.told++
	}
	v.silence++
	v.s.out.Step()
}

// Press sends a digit.
func (s *Session) Press(digit string, durationMS int, ts uint32) error {
	list, err := flow.Events(digit, durationMS, 10, s.cfg.ClockRate)
	if err != nil {
		return err
	}
	return s.with(func() error {
		var b [flow.EventSize]byte
		marked := false
		for _, e := range list {
			s.send(uint8(s.cfg.DTMFType), e.End && !marked, ts, e.Append(b[:0])) //nolint:gosec // seven bits
			marked = marked || e.End
		}
		return nil
	})
}

// Queued tells how many frames wait to be sent; where some do, RecDrained tells when none does any more.
func (s *Session) Queued() (n int, err error) {
	err = s.with(func() error {
		if s.voice != nil {
			n = len(s.voice.queue)
			s.voice.waits = n > 0
		}
		return nil
	})
	return n, err
}

func (v *voice) stats(st *Stats) {
	st.Concealed, st.DecodeErrors, st.QueueDropped = v.concealed, v.failed, v.refused
	if p := v.playout; p != nil {
		st.Playout = p.PlayoutStats
		st.Concealed = p.Concealed
		st.DelayMS = float64(p.Depth()) * p.PtimeMS()
		st.TargetMS = float64(p.TargetFrames()) * p.PtimeMS()
	}
	if v.pace != nil {
		if !v.s.closed {
			v.catchUp(now())
		}
		st.QueueDepth, st.Paced, st.EmptyTicks, st.NoiseSent = uint64(len(v.queue)), v.paced, v.empty, v.told
	}
}
