package main

// configCommand is `recoup config`.
type configCommand struct {
	Print configPrintCommand `cmd:"" help:"Show every setting in force and what set it; secrets stay hidden."`
}

// configPrintCommand is `recoup config print`.
type configPrintCommand struct{}

// Help is the longer text of `recoup config print --help`.
func (*configPrintCommand) Help() string {
	return `Writes the settings as YAML, as they are after file, environment and flags. Behind each that is not the
default stands what set it: the line of the file, or the variable.

Examples:

    recoup config print
    RECOUP_KAFKA_GROUP=blue recoup config print --config recoup.yaml`
}

// Run prints the settings.
func (*configPrintCommand) Run(s *session) error {
	settings, err := s.settings()
	if err != nil {
		return err
	}
	return settings.Print(s.stdout)
}
