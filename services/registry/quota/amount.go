package quota

import "fmt"

// An Amount is what a namespace holds, or may hold.
type Amount struct {
	Bytes  int64 // of distinct blobs and manifests
	Images int64 // live manifests
}

func (a Amount) plus(b Amount) Amount  { return Amount{a.Bytes + b.Bytes, a.Images + b.Images} }
func (a Amount) minus(b Amount) Amount { return Amount{a.Bytes - b.Bytes, a.Images - b.Images} }

// over says whether a is more than a limit allows; what is 0 there is not limited.
func (a Amount) over(limit Amount) bool {
	return limit.Bytes > 0 && a.Bytes > limit.Bytes || limit.Images > 0 && a.Images > limit.Images
}

// An ExceededError refuses what does not fit into a quota.
type ExceededError struct {
	Used  Amount // what is held, or promised to pushes that are under way
	More  Amount // what would be added; zero when nothing at all may be
	Limit Amount
	// Pending is how many of the used bytes are open uploads and blobs that no image
	// names yet.
	Pending int64
}

// Error says what is used up, such as "7.99 GB of 8.00 GB, and this adds
// 120.00 MB".
func (e *ExceededError) Error() string {
	if e.Limit.Bytes == 0 || e.Used.Bytes+e.More.Bytes <= e.Limit.Bytes && e.More != (Amount{}) {
		return fmt.Sprintf("%d of %d images", e.Used.Images, e.Limit.Images)
	}
	text := fmt.Sprintf("%s of %s", inUnits(e.Used.Bytes), inUnits(e.Limit.Bytes))
	if e.More.Bytes > 0 {
		text += fmt.Sprintf(", and this adds %s", inUnits(e.More.Bytes))
	}
	if e.Pending > 0 {
		text += fmt.Sprintf(" (%s of it are uploads that no image names yet)", inUnits(e.Pending))
	}
	return text
}

// inUnits is a size for people, rounded down to two digits after the point.
func inUnits(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	unit := -1
	whole, rest := n, int64(0)
	for whole >= 1000 {
		whole, rest = whole/1000, whole%1000
		unit++
	}
	return fmt.Sprintf("%d.%02d %cB", whole, rest/10, units[unit])
}
