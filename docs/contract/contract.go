// Package contract holds the JSON Schemas of every record that enters or leaves
// recoup, for tests and tools that validate what they produce. README.md
// explains the same fields for people.
package contract

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.json
var files embed.FS

// Base is the address all schemas stand under: the $id of "invoice.v1" is
// Base + "invoice.v1.json". References between schemas are relative to it.
const Base = "https://recoup.example/contract/"

// Schema returns the JSON Schema (draft 2020-12) of a record, by the value of
// its "schema" field, such as "invoice.v1".
func Schema(name string) ([]byte, error) {
	data, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("cannot find schema %q: want one of %q", name, Names())
	}
	return data, nil
}

// Names returns the names of all schemas in alphabetical order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("the embedded schemas cannot be listed: " + err.Error())
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return names
}
