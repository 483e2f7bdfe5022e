package config

import (
	"encoding"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"recoup/invoice"
)

// field is one value that can be set: a leaf of Config.
type field struct {
	path  string // such as kafka.sasl.username
	value reflect.Value
}

// fields lists the leaves of a configuration in the order of its structs, and
// the paths of its sections.
func fields(c *Config) (leaves []field, sections []string) {
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			path := prefix + name
			if v.Field(i).Kind() == reflect.Struct {
				sections = append(sections, path)
				walk(path+".", v.Field(i))
				continue
			}
			leaves = append(leaves, field{path: path, value: v.Field(i)})
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	return leaves, sections
}

// variable is the environment variable that overrides the field.
func (f field) variable() string {
	return "RECOUP_" + strings.ToUpper(strings.ReplaceAll(f.path, ".", "_"))
}

// isSecret reports whether the field may not stand in a file.
func (f field) isSecret() bool { return f.value.Type() == reflect.TypeFor[Secret]() }

// isMap reports whether the field holds names with an amount each.
func (f field) isMap() bool { return f.value.Kind() == reflect.Map }

// isList reports whether the field holds several texts.
func (f field) isList() bool { return f.value.Kind() == reflect.Slice }

// setText sets a scalar from its text.
func (f field) setText(text string) error {
	if reader, ok := f.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return reader.UnmarshalText([]byte(text))
	}
	switch f.value.Kind() {
	case reflect.String:
		f.value.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return expected("true or false")
		}
		f.value.SetBool(text == "true")
	case reflect.Int64:
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
		if err != nil {
			return expected("a whole number")
		}
		f.value.SetInt(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return expected("a number")
		}
		f.value.SetFloat(x)
	default:
		panic("config: no way to set " + f.path + " of kind " + f.value.Kind().String())
	}
	return nil
}

// setList replaces the list.
func (f field) setList(texts []string) { f.value.Set(reflect.ValueOf(texts)) }

// setMap replaces the map.
func (f field) setMap(amounts map[string]invoice.Amount) { f.value.Set(reflect.ValueOf(amounts)) }

// setEntry sets one amount and keeps the others.
func (f field) setEntry(name, text string) error {
	amount, err := invoice.ParseAmount(text)
	if err != nil {
		return expected("an amount such as 50 or 49.90")
	}
	amounts := maps.Clone(f.value.Interface().(map[string]invoice.Amount))
	if amounts == nil {
		amounts = map[string]invoice.Amount{}
	}
	amounts[name] = amount
	f.setMap(amounts)
	return nil
}

// text is the value as a person writes it; "" when there is none.
func (f field) text() string {
	switch v := f.value.Interface().(type) {
	case []string:
		return strings.Join(v, ", ")
	case map[string]invoice.Amount:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+": "+v[name].String())
		}
		return strings.Join(parts, ", ")
	default:
		return fmt.Sprint(v)
	}
}

// readSecret fills a secret from the file that its neighbour names, unless the
// environment already gave it.
func readSecret(f field, leaves []field) error {
	i := slices.IndexFunc(leaves, func(other field) bool { return other.path == f.path+"_file" })
	if f.value.Len() > 0 || i < 0 || leaves[i].text() == "" {
		return nil
	}
	content, err := os.ReadFile(leaves[i].text())
	if err != nil {
		return fmt.Errorf("cannot read the secret: %w; make the file readable or set %s", err, f.variable())
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if secret == "" {
		return fmt.Errorf("the file %s is empty; write the secret into it", leaves[i].text())
	}
	f.value.SetString(secret)
	return nil
}
