package mpegts

import (
	"github.com/tstrans/tstrans/core/codec/misp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// maxPESPayload is what fits behind PES_packet_length: two flag bytes, the
// header length and a PTS come off its 16 bits.
const (
	maxPESLength   = 0xFFFF
	maxPESWithPTS  = maxPESLength - (pesFixedSize - pesPrefixSize) - timestampSize
	maxPESPlain    = maxPESLength - (pesFixedSize - pesPrefixSize)
	maxCellPayload = maxPESWithPTS - auCellHeaderSize
	dvbSubOverhead = 3 // data_identifier, subtitle_stream_id, end marker
	unbounded      = 0
	measured       = 1 // any value but 0: begin fills in the length
)

// VideoPush is one video access unit.
type VideoPush struct {
	PTS int64 // 90 kHz ticks, modulo 2^33
	// DTS is written where HasDTS is set, even where it equals the PTS.
	DTS    int64 // 90 kHz ticks, modulo 2^33
	HasDTS bool
	// KeyFrame sets the random access indicator.
	KeyFrame bool
	// Wire says that the bytes are already in their form on the wire, and
	// are not looked at.
	Wire bool
	// MISP is inserted as an SEI message before the first slice.
	MISP *misp.Time
}

// PushVideo queues an access unit on the only video stream.
func (m *Muxer) PushVideo(au []byte, v VideoPush) error {
	s, err := m.only(MuxVideo)
	if err != nil {
		return err
	}
	return m.pushVideo(s, au, &v)
}

// CheckVideo tells whether PushVideo would take an access unit.
func (m *Muxer) CheckVideo(au []byte) error {
	s, err := m.only(MuxVideo)
	if err != nil {
		return err
	}
	if s.Codec != CodecAV1 {
		_, err = countNALs(au)
	} else if m.cfg.AV1Carriage != AV1InteropRawOBU {
		_, err = countOBUs(au)
	}
	return err
}

// PushVideoTo queues an access unit: Annex B for H.26x, a sequence of OBUs for
// AV1. au is read during the call only.
func (m *Muxer) PushVideoTo(h Handle, au []byte, v VideoPush) error {
	s, err := m.stream(MuxVideo, h)
	if err != nil {
		return err
	}
	return m.pushVideo(s, au, &v)
}

// PushVideoChunk queues a lazy payload of a demuxer's chunk as it was on the
// wire. Its bytes go from there straight to where packets are written; nothing
// looks at them, and its units are not counted.
func (m *Muxer) PushVideoChunk(h Handle, c *Chunk, payload uint32, v VideoPush) error {
	s, err := m.stream(MuxVideo, h)
	if err != nil {
		return err
	}
	head := m.videoHeader(s, &v)
	m.parts.begin(&head, unbounded)
	before := len(m.parts.pieces)
	if m.parts.pieces, err = c.appendPieces(m.parts.pieces, payload); err != nil {
		return err
	}
	for _, b := range m.parts.pieces[before:] {
		m.parts.size += len(b)
	}
	return m.emitVideo(s, &v, 0)
}

// videoHeader is the PES header of a picture.
func (m *Muxer) videoHeader(s *muxStream, v *VideoPush) PESHeader {
	head := PESHeader{
		StreamID: StreamIDVideo, PacketLength: unbounded,
		HasPTS: true, PTS: v.PTS, HasDTS: v.HasDTS, DTS: v.DTS,
	}
	if s.Codec == CodecAV1 {
		head.DataAlignmentIndicator = true
		if m.cfg.AV1Carriage == AV1MPEG2TSBinding {
			head.StreamID = StreamIDPrivate1
		}
	}
	return head
}

// emitVideo queues the picture in m.parts and counts it.
func (m *Muxer) emitVideo(s *muxStream, v *VideoPush, units uint64) error {
	if err := m.emit(s, v.PTS, v.KeyFrame); err != nil {
		return err
	}
	s.counts.Units += units
	if v.KeyFrame {
		s.counts.RandomAccess++
	}
	s.counts.Pushed = true
	return nil
}

func (m *Muxer) pushVideo(s *muxStream, au []byte, v *VideoPush) error {
	head := m.videoHeader(s, v)
	var units uint64
	var err error
	var before, sei []byte
	if s.Codec == CodecAV1 {
		switch {
		case v.MISP != nil:
			err = tsterr.New(tsterr.MuxInvalidNAL, "a MISP time goes into an SEI message, which AV1 has not")
		case v.Wire || m.cfg.AV1Carriage == AV1InteropRawOBU:
			// Raw OBUs go out as they came: what readers make of them is theirs.
			units = countWireOBUs(au, m.cfg.AV1Carriage)
		default:
			if units, err = countOBUs(au); err == nil {
				m.scratch = appendOpenBitstreamUnits(m.scratch[:0], au)
				au = m.scratch
			}
		}
	} else {
		if v.Wire {
			units, _ = countNALs(au)
		} else {
			units, err = countNALs(au)
		}
		if err == nil && v.MISP != nil {
			if before, sei, au, err = m.insertMISP(s.Codec, au, v.MISP); err == nil {
				units++
			}
		}
	}
	if err != nil {
		return err
	}
	m.parts.begin(&head, unbounded)
	m.parts.add(before)
	m.parts.add(sei)
	m.parts.add(au)
	return m.emitVideo(s, v, units)
}

// PushAudio queues whole audio frames on the only audio stream.
func (m *Muxer) PushAudio(frames []byte, pts int64) error {
	s, err := m.only(MuxAudio)
	if err != nil {
		return err
	}
	return m.pushAudio(s, frames, pts)
}

// PushAudioTo queues whole audio frames with the time of the first.
func (m *Muxer) PushAudioTo(h Handle, frames []byte, pts int64) error {
	s, err := m.stream(MuxAudio, h)
	if err != nil {
		return err
	}
	return m.pushAudio(s, frames, pts)
}

func (m *Muxer) pushAudio(s *muxStream, frames []byte, pts int64) error {
	if len(frames) > maxPESWithPTS {
		return tooLarge(tsterr.MuxInputMalformed, "audio frames", len(frames), maxPESWithPTS)
	}
	head := PESHeader{StreamID: StreamIDAudio + s.audio, PacketLength: measured, HasPTS: true, PTS: pts}
	if s.Codec == CodecAC3 {
		head.StreamID, head.DataAlignmentIndicator = StreamIDPrivate1, true
	}
	m.parts.begin(&head, len(frames))
	m.parts.add(frames)
	if err := m.emit(s, pts, false); err != nil {
		return err
	}
	s.counts.Units += countAudioFrames(s.Codec, frames)
	s.counts.Pushed = s.counts.Units > 0
	return nil
}

// PushKLV queues KLV on the only KLV stream.
func (m *Muxer) PushKLV(klv []byte, pts int64, serviceID uint8) error {
	s, err := m.only(MuxKLV)
	if err != nil {
		return err
	}
	return m.pushKLV(s, klv, pts, serviceID)
}

// PushKLVTo queues one KLV packet. serviceID is that of the metadata AU cell
// of a synchronous stream.
func (m *Muxer) PushKLVTo(h Handle, klv []byte, pts int64, serviceID uint8) error {
	s, err := m.stream(MuxKLV, h)
	if err != nil {
		return err
	}
	return m.pushKLV(s, klv, pts, serviceID)
}

func (m *Muxer) pushKLV(s *muxStream, klv []byte, pts int64, serviceID uint8) error {
	head := PESHeader{
		StreamID: StreamIDPrivate1, PacketLength: measured, DataAlignmentIndicator: true,
		HasPTS: s.CarriesPTS, PTS: pts,
	}
	limit := maxPESPlain
	switch {
	case s.KLVSync:
		limit = maxCellPayload
	case s.CarriesPTS:
		limit = maxPESWithPTS
	}
	if len(klv) > limit {
		return tooLarge(tsterr.MuxKLVTooLarge, "KLV", len(klv), limit)
	}
	if s.KLVSync {
		head.StreamID = StreamIDMetadata
		cell := AUCell{
			MetadataServiceID: serviceID, SequenceNumber: s.cell, FragmentIndication: CellComplete,
			RandomAccessIndicator: true, DataLength: uint16(len(klv)),
		}
		if _, err := cell.MarshalTo(m.cell[:]); err != nil {
			return err
		}
		m.parts.begin(&head, len(m.cell)+len(klv))
		m.parts.add(m.cell[:])
	} else {
		m.parts.begin(&head, len(klv))
	}
	m.parts.add(klv)
	if err := m.emit(s, pts, false); err != nil {
		return err
	}
	s.cell++
	s.counts.Units++
	s.counts.Pushed = true
	return nil
}

// PushEmptyKLVTo queues a PES packet without payload on a KLV stream: it ends
// the unit before it for readers that wait for the next one to begin.
func (m *Muxer) PushEmptyKLVTo(h Handle, pts int64) error {
	s, err := m.stream(MuxKLV, h)
	if err != nil {
		return err
	}
	head := PESHeader{StreamID: StreamIDPrivate1, PacketLength: measured, DataAlignmentIndicator: true}
	if s.KLVSync {
		head.StreamID = StreamIDMetadata
	}
	m.parts.begin(&head, 0)
	return m.emit(s, pts, false)
}

// PushSubtitle queues a subtitle unit on the only subtitle stream.
func (m *Muxer) PushSubtitle(payload []byte, pts int64) error {
	s, err := m.only(MuxSubtitle)
	if err != nil {
		return err
	}
	return m.pushSubtitle(s, payload, pts)
}

// PushSubtitleTo queues a subtitle unit: segments for DVB subtitling, data
// units for teletext, anything else as it is.
func (m *Muxer) PushSubtitleTo(h Handle, payload []byte, pts int64) error {
	s, err := m.stream(MuxSubtitle, h)
	if err != nil {
		return err
	}
	return m.pushSubtitle(s, payload, pts)
}

// Framing of subtitles in a PES packet.
var (
	dvbSubHead = []byte{0x20, 0x00} // data_identifier, subtitle_stream_id (EN 300 743 §7.1)
	dvbSubTail = []byte{0xFF}       // end_of_PES_data_field_marker
)

const (
	// teletextID is the data_identifier of EBU teletext; 0x10 to 0x1F are EBU
	// data (EN 300 472 §4.3).
	teletextID = 0x10
	// teletextHeaderLength makes the PES header 45 bytes long (EN 300 472 §4.2).
	teletextHeaderLength = 0x24
	// teletextUnit is the length of a data unit with its two header bytes.
	teletextUnit = 46
)

// teletextStuffing is a stuffing unit: data_unit_id 0xFF, length, zero bytes.
// A remainder shorter than a unit becomes a shorter unit.
var teletextStuffing = [teletextUnit]byte{0xFF}

func (m *Muxer) pushSubtitle(s *muxStream, payload []byte, pts int64) error {
	limit := maxPESWithPTS
	if s.Codec == CodecDVBSubtitling {
		limit -= dvbSubOverhead
	}
	if len(payload) > limit {
		return tooLarge(tsterr.MuxInputMalformed, "subtitle payload", len(payload), limit)
	}
	head := PESHeader{
		StreamID: StreamIDPrivate1, PacketLength: measured, DataAlignmentIndicator: true, HasPTS: true, PTS: pts,
	}
	switch s.Codec {
	case CodecDVBSubtitling:
		m.parts.begin(&head, dvbSubOverhead+len(payload))
		m.parts.add(dvbSubHead)
		m.parts.add(payload)
		m.parts.add(dvbSubTail)
	case CodecDVBTeletext:
		var err error
		if m.scratch, err = appendTeletext(m.scratch[:0], payload); err != nil {
			return err
		}
		head.HeaderDataLength = teletextHeaderLength
		m.parts.begin(&head, len(m.scratch))
		m.parts.add(m.scratch)
	default:
		m.parts.begin(&head, len(payload))
		m.parts.add(payload)
	}
	return m.emit(s, pts, false)
}

// appendTeletext puts data_identifier before the data units and fills up with
// stuffing units, so that the PES packet ends with a transport packet
// (EN 300 472 §4.2).
func appendTeletext(b, units []byte) ([]byte, error) {
	if len(units) == 0 || units[0]&^0x0F != teletextID {
		b = append(b, teletextID)
	}
	b = append(b, units...)
	const head = pesFixedSize + teletextHeaderLength
	size := (head + len(b) + MaxPayload - 1) / MaxPayload * MaxPayload
	if size-pesPrefixSize > maxPESLength {
		return b, tooLarge(tsterr.MuxInputMalformed, "subtitle payload", len(units), maxPESLength/MaxPayload*MaxPayload-head)
	}
	for fill := size - head - len(b); fill > 0; {
		n := min(fill, teletextUnit)
		at := len(b)
		b = append(b, teletextStuffing[:n]...)
		if n > 1 {
			b[at+1] = byte(n - 2)
		}
		fill -= n
	}
	return b, nil
}

// PushData queues private data on the only data stream.
func (m *Muxer) PushData(data []byte, pts int64) error {
	s, err := m.only(MuxData)
	if err != nil {
		return err
	}
	return m.pushData(s, data, pts, 0, false)
}

// PushDataTo queues one unit of private data.
func (m *Muxer) PushDataTo(h Handle, data []byte, pts int64) error {
	s, err := m.stream(MuxData, h)
	if err != nil {
		return err
	}
	return m.pushData(s, data, pts, 0, false)
}

// PushDataDTSTo queues one unit of private data with a decode time, as a
// stream of a codec that this package does not know may need it. A stream
// without PTS has neither.
func (m *Muxer) PushDataDTSTo(h Handle, data []byte, pts, dts int64) error {
	s, err := m.stream(MuxData, h)
	if err != nil {
		return err
	}
	return m.pushData(s, data, pts, dts, s.CarriesPTS)
}

func (m *Muxer) pushData(s *muxStream, data []byte, pts, dts int64, hasDTS bool) error {
	limit := maxPESPlain
	if s.CarriesPTS {
		limit = maxPESWithPTS
	}
	if hasDTS {
		limit -= timestampSize
	}
	if len(data) > limit {
		return tooLarge(tsterr.MuxInputMalformed, "data", len(data), limit)
	}
	head := PESHeader{
		StreamID: StreamIDPrivate1, PacketLength: measured, DataAlignmentIndicator: true, HasPTS: s.CarriesPTS, PTS: pts,
		HasDTS: hasDTS, DTS: dts,
	}
	m.parts.begin(&head, len(data))
	m.parts.add(data)
	return m.emit(s, pts, false)
}

func tooLarge(k tsterr.Kind, what string, n, limit int) error {
	return tsterr.New(k, "%s too large: %d bytes, at most %d fit one PES packet", what, n, limit)
}
