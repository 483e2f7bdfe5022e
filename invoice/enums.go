package invoice

import "fmt"

var (
	stageNames = []string{Issued: "issued", PreIssue: "pre_issue"}
	typeNames  = []string{Standard: "invoice", CreditNote: "credit_note", Correction: "correction"}

	// entryChannels are the values an entry_channel may have.
	entryChannels = []string{"manual", "import", "api", "recurring"}
)

// String returns the name of the contract: "issued" or "pre_issue".
func (s Stage) String() string { return nameOf(stageNames, int(s)) }

// MarshalText returns the String form; an unknown stage is an error.
func (s Stage) MarshalText() ([]byte, error) { return marshalName("stage", stageNames, int(s)) }

// UnmarshalText reads what MarshalText writes.
func (s *Stage) UnmarshalText(text []byte) error {
	i, err := unmarshalName("stage", stageNames, string(text))
	if err == nil {
		*s = Stage(i)
	}
	return err
}

// String returns the name of the contract: "invoice", "credit_note" or "correction".
func (t Type) String() string { return nameOf(typeNames, int(t)) }

// MarshalText returns the String form; an unknown type is an error.
func (t Type) MarshalText() ([]byte, error) { return marshalName("invoice_type", typeNames, int(t)) }

// UnmarshalText reads what MarshalText writes.
func (t *Type) UnmarshalText(text []byte) error {
	i, err := unmarshalName("invoice_type", typeNames, string(text))
	if err == nil {
		*t = Type(i)
	}
	return err
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

func marshalName(what string, names []string, i int) ([]byte, error) {
	if i >= len(names) {
		return nil, fmt.Errorf("cannot write %s %d: want one of %q", what, i, names)
	}
	return []byte(names[i]), nil
}

func unmarshalName(what string, names []string, name string) (int, error) {
	for i, known := range names {
		if name == known {
			return i, nil
		}
	}
	return 0, fmt.Errorf("cannot read %s %q: want one of %q", what, quotable(name), names)
}
