"""MPEG transport streams: demuxer, muxer, events and the values they use.

Reading needs no part of the muxer and the other way round, so each name loads its module when it is first
used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..codec import NalUnit as NalUnit
    from ..codec import Obu as Obu
    from ..codec import ObuExtension as ObuExtension
    from ._config import DemuxerConfig as DemuxerConfig
    from ._demuxer import Demuxer as Demuxer
    from ._enums import AudioCodec as AudioCodec
    from ._enums import Av1CarriageMode as Av1CarriageMode
    from ._enums import CellFragmentIndication as CellFragmentIndication
    from ._enums import DiscontinuityKindTag as DiscontinuityKindTag
    from ._enums import KlvStreamType as KlvStreamType
    from ._enums import LinkSource as LinkSource
    from ._enums import MetadataKindTag as MetadataKindTag
    from ._enums import MultiCellAuReason as MultiCellAuReason
    from ._enums import NonConformantKind as NonConformantKind
    from ._enums import StreamKindTag as StreamKindTag
    from ._enums import StrictMode as StrictMode
    from ._enums import SubtitleCodec as SubtitleCodec
    from ._enums import VideoCodec as VideoCodec
    from ._events import DemuxEvent as DemuxEvent
    from ._mux import Muxer as Muxer
    from ._mux_config import MuxerConfig as MuxerConfig
    from ._mux_config import MuxerConfigBuilder as MuxerConfigBuilder
    from ._mux_config import MuxerProgramConfig as MuxerProgramConfig
    from ._mux_config import MuxerProgramConfigBuilder as MuxerProgramConfigBuilder
    from ._mux_file import MuxerDrainProxy as MuxerDrainProxy
    from ._mux_file import MuxerFileSink as MuxerFileSink
    from ._mux_stats import AudioStreamCodecStats as AudioStreamCodecStats
    from ._mux_stats import AudioStreamHandle as AudioStreamHandle
    from ._mux_stats import DataStreamHandle as DataStreamHandle
    from ._mux_stats import KlvStreamCodecStats as KlvStreamCodecStats
    from ._mux_stats import KlvStreamHandle as KlvStreamHandle
    from ._mux_stats import MuxerStats as MuxerStats
    from ._mux_stats import StreamCodecStats as StreamCodecStats
    from ._mux_stats import SubtitleStreamHandle as SubtitleStreamHandle
    from ._mux_stats import VideoStreamCodecStats as VideoStreamCodecStats
    from ._mux_stats import VideoStreamHandle as VideoStreamHandle
    from ._values import AudioStreamSpec as AudioStreamSpec
    from ._values import Cea708StandaloneConfig as Cea708StandaloneConfig
    from ._values import Codec as Codec
    from ._values import DataStreamSpec as DataStreamSpec
    from ._values import DvbSubtitlingConfig as DvbSubtitlingConfig
    from ._values import DvbTeletextConfig as DvbTeletextConfig
    from ._values import KlvLink as KlvLink
    from ._values import KlvStreamSpec as KlvStreamSpec
    from ._values import ProgramMap as ProgramMap
    from ._values import Pts90khz as Pts90khz
    from ._values import RawDescriptor as RawDescriptor
    from ._values import StreamId as StreamId
    from ._values import StreamInfo as StreamInfo
    from ._values import StreamSpec as StreamSpec
    from ._values import SubtitleCodecConfig as SubtitleCodecConfig
    from ._values import SubtitleStreamSpec as SubtitleStreamSpec
    from ._values import VideoStreamSpec as VideoStreamSpec
    from ._values import WebVttInTsConfig as WebVttInTsConfig

# Which module defines what.
_HOMES = {
    "..codec": ("NalUnit", "Obu", "ObuExtension"),
    "._config": ("DemuxerConfig",),
    "._enums": (
        "AudioCodec",
        "Av1CarriageMode",
        "CellFragmentIndication",
        "DiscontinuityKindTag",
        "KlvStreamType",
        "LinkSource",
        "MetadataKindTag",
        "MultiCellAuReason",
        "NonConformantKind",
        "StreamKindTag",
        "StrictMode",
        "SubtitleCodec",
        "VideoCodec",
    ),
    "._demuxer": ("Demuxer",),
    "._events": (
        "DemuxEvent",
        "_AudioEvent",
        "_DiscontinuityEvent",
        "_KlvEvent",
        "_MetadataEvent",
        "_NonConformantEvent",
        "_ProgramMapEvent",
        "_ReconnectDiscontinuityEvent",
        "_SubtitleEvent",
        "_UnknownSampleEvent",
        "_VideoEvent",
    ),
    "._mux": ("Muxer",),
    "._mux_file": ("MuxerDrainProxy", "MuxerFileSink"),
    "._mux_config": (
        "MuxerConfig",
        "MuxerConfigBuilder",
        "MuxerProgramConfig",
        "MuxerProgramConfigBuilder",
    ),
    "._mux_stats": (
        "AudioStreamCodecStats",
        "AudioStreamHandle",
        "DataStreamHandle",
        "KlvStreamCodecStats",
        "KlvStreamHandle",
        "MuxerStats",
        "StreamCodecStats",
        "SubtitleStreamHandle",
        "VideoStreamCodecStats",
        "VideoStreamHandle",
    ),
    "._values": (
        "AudioStreamSpec",
        "Cea708StandaloneConfig",
        "Codec",
        "DataStreamSpec",
        "DvbSubtitlingConfig",
        "DvbTeletextConfig",
        "KlvLink",
        "KlvStreamSpec",
        "ProgramMap",
        "Pts90khz",
        "RawDescriptor",
        "StreamId",
        "StreamInfo",
        "StreamSpec",
        "SubtitleCodecConfig",
        "SubtitleStreamSpec",
        "VideoStreamSpec",
        "WebVttInTsConfig",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(n for n in _HOME_OF if n[0] != "_")


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
