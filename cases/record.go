package cases

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"recoup/invoice"
)

// decode reads one record by its table and checks what no field shows by itself.
func decode[T any](table *invoice.Table[T], data []byte, check func(*T) *invoice.DecodeError) (*T, error) {
	v := new(T)
	if err := table.Decode(data, invoice.Limits{}, v); err != nil {
		return nil, err
	}
	if err := check(v); err != nil {
		return nil, table.Named(err)
	}
	return v, nil
}

// encode writes a record that its own decoder accepts.
func encode[T any](table *invoice.Table[T], v *T, decode func([]byte) (*T, error)) ([]byte, error) {
	body := table.Append(nil, v)
	if _, err := decode(body); err != nil {
		return nil, fmt.Errorf("cannot encode a record that nobody could read: %w", err)
	}
	return body, nil
}

// word is a text that is one of a few.
type word[E ~string] struct {
	dst  *E
	list []E
}

func oneOf[E ~string](dst *E, list []E) word[E] { return word[E]{dst, list} }

// Read accepts a word of the list.
func (w word[E]) Read(text string) *invoice.DecodeError {
	if !slices.Contains(w.list, E(text)) {
		return invoice.Refuse("", invoice.ReasonUnknownValue, "%q is not known, want one of %q", short(text), w.list)
	}
	*w.dst = E(text)
	return nil
}

// Text returns the word.
func (w word[E]) Text() string { return string(*w.dst) }

// uuidText is a UUID, kept in small letters so that equal ones are equal.
type uuidText struct{ dst *string }

// Read accepts 8-4-4-4-12 hexadecimal digits.
func (u uuidText) Read(text string) *invoice.DecodeError {
	digits := strings.ReplaceAll(text, "-", "")
	if _, err := hex.DecodeString(digits); err != nil || len(digits) != 32 || len(text) != 36 ||
		text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return invoice.Refuse("", invoice.ReasonBadUUID,
			"%q is not a UUID such as \"2cc67909-3202-5f43-87f9-5a738a7cba8b\"", short(text))
	}
	*u.dst = strings.ToLower(text)
	return nil
}

// Text returns the UUID.
func (u uuidText) Text() string { return *u.dst }

// short cuts what an error message repeats of a value that may be huge.
func short(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
