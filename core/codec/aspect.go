package codec

// aspectRatios is ITU-T H.273 table 10, sample aspect ratios by aspect_ratio_idc
// (H.264 table E-1).
var aspectRatios = [17][2]uint16{
	{},
	{1, 1},
	{12, 11},
	{10, 11},
	{16, 11},
	{40, 33},
	{24, 11},
	{20, 11},
	{32, 11},
	{80, 33},
	{18, 11},
	{15, 11},
	{64, 33},
	{160, 99},
	{4, 3},
	{3, 2},
	{2, 1},
}

// extendedSAR is the aspect_ratio_idc that comes with a ratio of its own.
const extendedSAR = 255

// SampleAspectRatio tells the ratio for an aspect_ratio_idc, 0 and 0 when it is
// unspecified; width and height are those of the extended form.
func SampleAspectRatio(idc uint8, width, height uint16) (w, h uint16) {
	switch {
	case idc == extendedSAR:
		return width, height
	case int(idc) < len(aspectRatios):
		return aspectRatios[idc][0], aspectRatios[idc][1]
	default:
		return 0, 0
	}
}
