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

// annotationKinds are the kinds of annotations and the questions behind them.
var annotationKinds = []struct{ kind, question string }{
	{"incident", "annotation_incidents"}, {"model", "annotation_changes"}, {"release", "annotation_releases"},
}

// note is one annotation.
type note struct {
	from              time.Time
	to                *time.Time // nil: it is of one moment
	title, text, tags string
}

// annotations tells when there were incidents, when model or settings changed, and when
// systems billed with a new release, in the fields that Grafana's annotations read.
func (s *Source) annotations(ctx context.Context, q *query) (data.Frames, error) {
	if _, err := q.required(question.FilterSeller); err != nil {
		return nil, err
	}
	wanted := slices.DeleteFunc(slices.Clone(q.Filters["kinds"]), func(kind string) bool {
		return kind == "" || kind == question.Everything
	})
	for _, kind := range wanted {
		if !slices.ContainsFunc(annotationKinds, func(k struct{ kind, question string }) bool { return k.kind == kind }) {
			return nil, refuse(http.StatusBadRequest, "cannot annotate %q: want incident, model or release", kind)
		}
	}
	var notes []note
	cut := false
	for _, k := range annotationKinds {
		if len(wanted) > 0 && !slices.Contains(wanted, k.kind) {
			continue
		}
		more, some, err := s.notes(ctx, k.question, q)
		if err != nil {
			return nil, err
		}
		notes, cut = append(notes, more...), cut || some
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
		q.inform(frame, data.NoticeSeverityWarning, question.Text{
			EN: "There are more annotations; narrow the time range.",
			FR: "Il y a d'autres annotations ; réduisez la période."})
	}
	return data.Frames{frame}, nil
}

// notes asks one of the questions, and tells whether there are more answers.
func (s *Source) notes(ctx context.Context, name string, q *query) (notes []note, cut bool, err error) {
	asked, known := question.Find(name)
	if !known {
		return nil, false, refuse(http.StatusInternalServerError, "cannot annotate: the catalogue has no question %s", name)
	}
	answer, err := s.ask(ctx, &asked, q)
	if err != nil {
		return nil, false, err
	}
	title, text := "title", "text"
	if q.Lang == question.French {
		title, text = "title_fr", "text_fr"
	}
	at := func(column string) int { return slices.Index(answer.Columns, column) }
	for _, column := range []string{"time", title, text, "tags"} {
		if at(column) < 0 {
			return nil, false, fmt.Errorf("cannot annotate: the SQL of %s gives no column %s", name, column)
		}
	}
	for _, row := range answer.Rows {
		n := note{title: textOf(row[at(title)]), text: textOf(row[at(text)]), tags: textOf(row[at("tags")])}
		n.from, _ = row[at("time")].(time.Time)
		if until := at("timeEnd"); until >= 0 {
			if end, ok := row[until].(time.Time); ok {
				n.to = &end
			}
		}
		notes = append(notes, n)
	}
	return notes, answer.Cut, nil
}
