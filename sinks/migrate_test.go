package sinks

import "testing"

func TestMigrate(t *testing.T) {
	s := freshSettings(t)
	steps, err := Migrate(t.Context(), s, true)
	t.Log(len(steps), err)
	steps, err = Migrate(t.Context(), s, false)
	t.Log(len(steps), err)
	if err != nil {
		t.Fatal(err)
	}
	steps, err = Migrate(t.Context(), s, false)
	t.Log(len(steps), err)
}
