// Package contracttest validates records against the schemas of docs/contract,
// for tests of whatever writes or reads them.
package contracttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"recoup/docs/contract"
)

// compiled holds every schema, ready for use, by name.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, name := range contract.Names() {
		data, err := contract.Schema(name)
		if err != nil {
			return nil, err
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("cannot read schema %s: %w", name, err)
		}
		if err := compiler.AddResource(contract.Base+name+".json", document); err != nil {
			return nil, fmt.Errorf("cannot add schema %s: %w", name, err)
		}
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, name := range contract.Names() {
		schema, err := compiler.Compile(contract.Base + name + ".json")
		if err != nil {
			return nil, fmt.Errorf("cannot compile schema %s: %w", name, err)
		}
		schemas[name] = schema
	}
	return schemas, nil
})

// Validate checks a record against the schema its "schema" field names.
func Validate(record []byte) error {
	var named struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(record, &named); err != nil {
		return fmt.Errorf("cannot validate a record that is no JSON object: %w", err)
	}
	return ValidateAs(named.Schema, record)
}

// ValidateAs checks a record against the schema with this name, such as
// "invoice.v1". It may be called concurrently.
func ValidateAs(name string, record []byte) error {
	schemas, err := compiled()
	if err != nil {
		return err
	}
	schema := schemas[name]
	if schema == nil {
		return fmt.Errorf("cannot find schema %q: want one of %q", name, contract.Names())
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(record))
	if err != nil {
		return fmt.Errorf("cannot read record as JSON: %w", err)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("cannot accept record as %s: %w", name, err)
	}
	return nil
}
