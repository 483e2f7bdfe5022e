package index

// Mix makes one hash of two; the order matters. What it gives is stored: it stays
// as it is.
func Mix(a, b uint64) uint64 { return MixWith(Mixable(a), b) }

// Mixable is the half of Mix that is for the first hash alone.
func Mixable(a uint64) uint64 {
	h := (a ^ 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	return h ^ h>>32
}

// MixWith is the other half.
func MixWith(h, b uint64) uint64 {
	h = (h ^ b) * 0xc4ceb9fe1a85ec53
	return h ^ h>>29
}
