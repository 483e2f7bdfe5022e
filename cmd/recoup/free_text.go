package main

import (
	"fmt"

	"recoup/internal/personal"
)

// freeText is what a person writes into a record in own words: never whom one can reach.
type freeText string

// UnmarshalText reads it.
func (f *freeText) UnmarshalText(text []byte) error {
	if kind := personal.In(string(text)); kind != "" {
		return fmt.Errorf("cannot use %q: it looks like it holds %s, and no record may; say it without", text, kind)
	}
	*f = freeText(text)
	return nil
}
