package story

import (
	"math/rand/v2"
	"slices"
)

// Unruly returns the messages as a bad network delivers them: each twice and all
// in disorder, the same for the same seed. Whatever reads them must come to the
// same as from the messages themselves.
func Unruly(messages []Message, seed uint64) []Message {
	twice := slices.Concat(messages, messages)
	dice := rand.New(rand.NewPCG(seed, uint64(len(twice))))
	dice.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
	return twice
}
