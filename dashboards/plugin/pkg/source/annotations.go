package source

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/dashboards/question"
)

// annotationKinds are the questions behind the kinds of annotations.
var annotationKinds = map[string]string{
	"incident": "annotation_incidents", "model": "annotation_changes",
}

// annotations tells when there were incidents, and when model or settings changed, in
// the fields that Grafana's annotations read.
func (s *Source) annotations(ctx context.Context, q *query) (data.Frames, error) {
	if _, err := q.required(question.FilterSeller); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, kind := range q.Filters["kinds"] {
		if kind == "" || kind == question.Everything {
			continue
		}
		name := annotationKinds[kind]
		if name == "" {
			return nil, refuse(http.StatusBadRequest, "cannot annotate %q: want incident or model", kind)
		}
		names[name] = true
	}
	type note struct {
		from              time.Time
		to                *time.Time
		title, text, tags string
	}
	var notes []note
	cut := false
	for _, name := range []string{"annotation_incidents", "annotation_changes"} {
		if len(names) > 0 && !names[name] {
			continue
		}
		asked, known := question.Find(name)
		if !known {
			return nil, refuse(http.StatusInternalServerError, "cannot annotate: the catalogue has no question %s", name)
		}
		answer, err := s.ask(ctx, &asked, q)
		if err != nil {
			return nil, err
		}
		cut = cut || answer.Cut
		at := func(column string) int { return slices.Index(answer.Columns, column) }
		for _, column := range []string{"time", "title", "text", "tags"} {
			if at(column) < 0 {
				return nil, fmt.Errorf("cannot annotate: the SQL of %s gives no column %s", name, column)
			}
		}
		for _, row := range answer.Rows {
			n := note{title: textOf(row[at("title")]), text: textOf(row[at("text")]), tags: textOf(row[at("tags")])}
			n.from, _ = row[at("time")].(time.Time)
			if until := at("timeEnd"); until >= 0 {
				if end, ok := row[until].(time.Time); ok {
					n.to = &end
				}
			}
			notes = append(notes, n)
		}
	}
	slices.SortStableFunc(notes, func(a, b note) int { return a.from.Compare(b.from) })
	frame := data.NewFrame("annotations", data.NewField("time", nil, []time.Time{}),
		data.NewField("timeEnd", nil, []*time.Time{}), data.NewField("title", nil, []string{}),
		data.NewField("text", nil, []string{}), data.NewField("tags", nil, []string{}))
	frame.Meta = &data.FrameMeta{Type: data.FrameTypeTable, TypeVersion: typeVersion, DataTopic: data.DataTopicAnnotations}
	for _, n := range notes {
		frame.AppendRow(n.from, n.to, n.title, n.text, n.tags)
	}
	if cut {
		frame.AppendNotices(data.Notice{Severity: data.NoticeSeverityWarning,
			Text: "There are more annotations; narrow the time range."})
	}
	return data.Frames{frame}, nil
}
