package mpegts

// NonConformantKind classifies a finding. The numbers are part of the C ABI.
type NonConformantKind uint8

// The kinds of findings. Some are reserved, or come from other parts than the demuxer.
const (
	NCPCRAnomaly                NonConformantKind = 1
	NCPSIChecksumMismatch       NonConformantKind = 2
	NCMalformedPES              NonConformantKind = 3
	NCTransportErrorPacket      NonConformantKind = 4
	NCStreamTypeMismatch        NonConformantKind = 5
	NCPIDReusedAcrossPrograms   NonConformantKind = 6
	NCPUSIMidPES                NonConformantKind = 7
	NCNALHeader                 NonConformantKind = 8
	NCAV1OBUHeader              NonConformantKind = 9
	NCAV1RegistrationMalformed  NonConformantKind = 10
	NCPESHeaderMalformed        NonConformantKind = 11
	NCPTSAnomaly                NonConformantKind = 12
	NCMissingRequiredPTS        NonConformantKind = 13
	NCPCRMalformed              NonConformantKind = 14
	NCSubtitleAlignmentMissing  NonConformantKind = 15
	NCSubtitleMissingDescriptor NonConformantKind = 16
	NCMultiCellAU               NonConformantKind = 17
	NCCFITolerated              NonConformantKind = 18
	NCPSIMultiSection           NonConformantKind = 19
	NCPSICCDiscontinuity        NonConformantKind = 20
	NCPSIOverlongSection        NonConformantKind = 21
	NCDVBSubDataIdentifier      NonConformantKind = 22
	NCLATMFraming               NonConformantKind = 23
	NCAC3SyncMissing            NonConformantKind = 24
	NCAV1WrongStreamID          NonConformantKind = 25
	NCAV1MissingTSOBUFraming    NonConformantKind = 26
	NCAV1OBUMissingSizeField    NonConformantKind = 27
	NCAV1TileListNotAllowed     NonConformantKind = 28
	NCMissingMetadataDescriptor NonConformantKind = 29
	NCSubtitleAmbiguous         NonConformantKind = 30
	NCSubtitleMalformed         NonConformantKind = 31
	NCPMTProgramNumberMismatch  NonConformantKind = 32
	NCUnsupportedScrambling     NonConformantKind = 33
	NCAdaptationFieldMalformed  NonConformantKind = 34
	NCZeroLengthPESNonVideo     NonConformantKind = 35
	NCPSISyntax                 NonConformantKind = 36
	NCOther                     NonConformantKind = 255
)

// String gives the name in the form used in strict-mode messages.
func (k NonConformantKind) String() string {
	switch k {
	case NCPCRAnomaly:
		return "PcrAnomaly"
	case NCPSIChecksumMismatch:
		return "PsiChecksumMismatch"
	case NCMalformedPES:
		return "MalformedPes"
	case NCTransportErrorPacket:
		return "TransportErrorPacket"
	case NCStreamTypeMismatch:
		return "StreamTypeMismatch"
	case NCPIDReusedAcrossPrograms:
		return "PidReusedAcrossPrograms"
	case NCPUSIMidPES:
		return "PusiMidPes"
	case NCNALHeader:
		return "NalHeader"
	case NCAV1OBUHeader:
		return "Av1ObuHeader"
	case NCAV1RegistrationMalformed:
		return "Av1RegistrationMalformed"
	case NCPESHeaderMalformed:
		return "PesHeaderMalformed"
	case NCPTSAnomaly:
		return "PtsAnomaly"
	case NCMissingRequiredPTS:
		return "MissingRequiredPts"
	case NCPCRMalformed:
		return "PcrMalformed"
	case NCSubtitleAlignmentMissing:
		return "SubtitleAlignmentMissing"
	case NCSubtitleMissingDescriptor:
		return "SubtitleMissingDescriptor"
	case NCMultiCellAU:
		return "MultiCellAu"
	case NCCFITolerated:
		return "MalformedAuCellCfiTolerated"
	case NCPSIMultiSection:
		return "PsiMultiSectionUnsupported"
	case NCPSICCDiscontinuity:
		return "PsiCcDiscontinuity"
	case NCPSIOverlongSection:
		return "PsiOverlongSection"
	case NCDVBSubDataIdentifier:
		return "DvbSubDataIdentifier"
	case NCLATMFraming:
		return "LatmFraming"
	case NCAC3SyncMissing:
		return "Ac3SyncMissing"
	case NCAV1WrongStreamID:
		return "Av1WrongStreamId"
	case NCAV1MissingTSOBUFraming:
		return "Av1MissingTsObuFraming"
	case NCAV1OBUMissingSizeField:
		return "Av1ObuMissingSizeField"
	case NCAV1TileListNotAllowed:
		return "Av1TileListNotAllowed"
	case NCMissingMetadataDescriptor:
		return "MissingMetadataDescriptor"
	case NCSubtitleAmbiguous:
		return "SubtitleDescriptorAmbiguous"
	case NCSubtitleMalformed:
		return "SubtitleDescriptorMalformed"
	case NCPMTProgramNumberMismatch:
		return "PmtProgramNumberMismatch"
	case NCUnsupportedScrambling:
		return "UnsupportedScrambling"
	case NCAdaptationFieldMalformed:
		return "AdaptationFieldMalformed"
	case NCZeroLengthPESNonVideo:
		return "ZeroLengthPesNonVideo"
	case NCPSISyntax:
		return "PsiSyntax"
	case NCOther:
	}
	return "Other"
}

// StrictMode says which findings become errors.
type StrictMode uint8

// The strict modes.
const (
	StrictOff        StrictMode = 0
	StrictTimingOnly StrictMode = 1 // clocks, time stamps and PSI checksums
	StrictPSIOnly    StrictMode = 2 // descriptors
	StrictFull       StrictMode = 3 // every finding
)

// rejects tells whether a finding of kind k is an error in mode m.
func (m StrictMode) rejects(k NonConformantKind) bool {
	switch m {
	case StrictFull:
		return true
	case StrictTimingOnly:
		return k == NCPCRAnomaly || k == NCPTSAnomaly || k == NCMissingRequiredPTS || k == NCPCRMalformed || k == NCPSIChecksumMismatch
	case StrictPSIOnly:
		return k == NCStreamTypeMismatch || k == NCMissingMetadataDescriptor || k == NCSubtitleMissingDescriptor || k == NCSubtitleAmbiguous
	case StrictOff:
	}
	return false
}
