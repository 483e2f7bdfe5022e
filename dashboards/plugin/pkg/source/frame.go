package source

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/dashboards/question"
	"recoup/sinks"
)

// typeVersion is the version of Grafana's data plane contract that the frames keep.
var typeVersion = data.FrameTypeVersion{0, 1}

// frameOf makes the frame of an answer: a Series is wide, one field for each number
// and label; a Table of labels and numbers can be alerted on row by row.
func frameOf(asked *question.Question, answer *sinks.Answer, q *query) (*data.Frame, error) {
	frame := data.NewFrame(asked.Name)
	for i := range asked.Columns {
		column := &asked.Columns[i]
		at := slices.Index(answer.Columns, column.Name)
		if at < 0 {
			return nil, fmt.Errorf("cannot answer %s: its SQL gives no column %s", asked.Name, column.Name)
		}
		field, err := fieldOf(asked, column, answer.Rows, at)
		if err != nil {
			return nil, err
		}
		field.Config = configOf(asked, i, q.Lang)
		frame.Fields = append(frame.Fields, field)
	}
	frame, err := shaped(asked, frame)
	if err != nil {
		return nil, err
	}
	frame.Name = asked.Name
	frame.Meta.ExecutedQueryString = asked.SQL
	if answer.Cut {
		q.inform(frame, data.NoticeSeverityWarning, question.Text{
			EN: "These are the first %d rows; there are more. Narrow the filters or the time range, or raise the limit.",
			FR: "Ce sont les %d premières lignes ; il y en a d'autres. Réduisez les filtres ou la période, ou relevez la " +
				"limite."}, len(answer.Rows))
	}
	return frame, nil
}

// shaped gives a frame the form and the name of its type.
func shaped(asked *question.Question, frame *data.Frame) (*data.Frame, error) {
	has := func(kind question.Kind) bool {
		return slices.ContainsFunc(asked.Columns, func(c question.Column) bool { return c.Kind == kind })
	}
	kind := data.FrameTypeTable
	switch {
	case asked.Shape == question.Series:
		kind = data.FrameTypeTimeSeriesWide
		if has(question.Label) {
			var err error
			if frame, err = widened(frame); err != nil {
				return nil, fmt.Errorf("cannot make series of %s: %w", asked.Name, err)
			}
		}
	case has(question.Number) && !has(question.Time):
		kind = data.FrameTypeNumericLong
	}
	frame.Meta = &data.FrameMeta{Type: kind, TypeVersion: typeVersion}
	return frame, nil
}

// widened makes a series of each number and label.
func widened(long *data.Frame) (*data.Frame, error) {
	configs := map[string]*data.FieldConfig{}
	for _, field := range long.Fields {
		configs[field.Name] = field.Config
	}
	wide := data.NewFrame(long.Name)
	if long.Rows() == 0 {
		for _, field := range long.Fields {
			if field.Type() != data.FieldTypeString {
				wide.Fields = append(wide.Fields, field)
			}
		}
		return wide, nil
	}
	wide, err := data.LongToWide(long, nil)
	if err != nil {
		return nil, err
	}
	for _, field := range wide.Fields {
		config := *configs[field.Name]
		if len(field.Labels) > 0 {
			// One label: it alone names the series, where there is one number.
			var values []string
			for _, label := range long.Fields {
				if value, ok := field.Labels[label.Name]; ok {
					values = append(values, value)
				}
			}
			name := strings.Join(values, ", ")
			if len(long.Fields) > len(field.Labels)+2 {
				name = config.DisplayNameFromDS + " " + name
			}
			config.DisplayNameFromDS = name
		}
		field.Config = &config
	}
	return wide, nil
}

// configOf says how a column is shown.
func configOf(asked *question.Question, at int, lang question.Lang) *data.FieldConfig {
	column := &asked.Columns[at]
	config := &data.FieldConfig{DisplayNameFromDS: displayName(asked, at, lang), Unit: column.Unit}
	config.Mappings = mappingsOf(column.Words, lang)
	switch {
	case column.Low:
		config.Custom = map[string]any{"lineWidth": 0}
	case column.High:
		config.Custom = map[string]any{"lineWidth": 0, "fillOpacity": 15}
		for i := at - 1; i >= 0; i-- {
			if asked.Columns[i].Low {
				config.Custom["fillBelowTo"] = displayName(asked, i, lang)
				break
			}
		}
	}
	return config
}

// mappingsOf shows words for values; those without speak for themselves.
func mappingsOf(words map[string]question.Text, lang question.Lang) data.ValueMappings {
	if len(words) == 0 {
		return nil
	}
	mapper := data.ValueMapper{}
	for value, word := range words {
		mapper[value] = data.ValueMappingResult{Text: word.In(lang)}
	}
	return data.ValueMappings{mapper}
}

// displayName is a column's title; an end of a band is named after its number, for
// an answer may have several bands.
func displayName(asked *question.Question, at int, lang question.Lang) string {
	column := &asked.Columns[at]
	if !column.Low && !column.High {
		return column.Title.In(lang)
	}
	number := at
	for i := range asked.Columns {
		c := &asked.Columns[i]
		if c.Kind == question.Number && !c.Low && !c.High && strings.HasPrefix(column.Name, c.Name) {
			number = i
		}
	}
	if number == at {
		return column.Title.In(lang)
	}
	return asked.Columns[number].Title.In(lang) + ", " + column.Title.In(lang)
}

// fieldOf is one column of the rows.
func fieldOf(asked *question.Question, column *question.Column, rows [][]any, at int) (*data.Field, error) {
	wrong := func(value any, want string) error {
		return fmt.Errorf("cannot answer %s: column %s has %v: want %s", asked.Name, column.Name, value, want)
	}
	switch column.Kind {
	case question.Time:
		values := make([]time.Time, len(rows))
		nullable := make([]*time.Time, len(rows))
		series := asked.Shape == question.Series
		for i, row := range rows {
			instant, ok := row[at].(time.Time)
			switch {
			case ok:
				values[i], nullable[i] = instant, &instant
			case row[at] != nil || series:
				return nil, wrong(row[at], "an instant")
			}
		}
		if series {
			return data.NewField(column.Name, nil, values), nil
		}
		return data.NewField(column.Name, nil, nullable), nil
	case question.Number:
		values := make([]*float64, len(rows))
		for i, row := range rows {
			number, ok := numberOf(row[at])
			if !ok {
				return nil, wrong(row[at], "a number")
			}
			values[i] = number
		}
		return data.NewField(column.Name, nil, values), nil
	}
	values := make([]string, len(rows))
	for i, row := range rows {
		values[i] = textOf(row[at])
	}
	return data.NewField(column.Name, nil, values), nil
}

// numberOf is a value as Grafana draws it; what is no finite number is left out.
// Money is exact up to here.
func numberOf(value any) (number *float64, ok bool) {
	var f float64
	switch v := value.(type) {
	case nil:
		return nil, true
	case float64:
		f = v
	case int64:
		f = float64(v)
	case uint64:
		f = float64(v)
	case sinks.Decimal:
		var err error
		if f, err = strconv.ParseFloat(string(v), 64); err != nil {
			return nil, false
		}
	case bool:
		if v {
			f = 1
		}
	default:
		return nil, false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, true
	}
	return &f, true
}

// textOf is a value as a label.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(v, ", ")
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return fmt.Sprint(value)
}
