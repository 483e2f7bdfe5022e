package source

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/dashboards/question"
	"recoup/detectors"
	"recoup/internal/config"
	"recoup/pipeline"
)

// filterSegment names one segment: customer_type=B2C|product_family=fibre, or one of
// the two; nothing means all.
const filterSegment question.Filter = "segment"

// baseline tells what is usual in a segment now, folded over what all partitions
// taught.
func (s *Source) baseline(ctx context.Context, q *query) (data.Frames, error) {
	seller, err := q.required(question.FilterSeller)
	if err != nil {
		return nil, err
	}
	wanted, err := segmentOf(q.one(filterSegment))
	if err != nil {
		return nil, err
	}
	baselines, err := s.baselines(ctx)
	if err != nil {
		return nil, err
	}
	shared, _, err := baselines.Read(ctx)
	if err != nil {
		return nil, err
	}
	usual := config.Default()
	list := shared.Segments(seller, usual.Scoring.Settings())
	currency := q.one(question.FilterCurrency)
	list = slices.DeleteFunc(list, func(g detectors.SegmentSummary) bool {
		return currency != "" && g.Currency != currency || wanted != nil &&
			(g.CustomerType != wanted["customer_type"] || g.ProductFamily != wanted["product_family"])
	})
	frame := segmentsFrame(list[:min(len(list), s.settings.RowLimit)], q.Lang)
	q.inform(frame, data.NoticeSeverityInfo, question.Text{
		EN: "Reckoned with recoup's default settings of scoring (half-life of %d days); where recoup has others, it has " +
			"other figures.",
		FR: "Calculé avec les réglages par défaut de recoup (demi-vie de %d jours) ; s'il en a d'autres, il a d'autres " +
			"chiffres."}, usual.Scoring.HalfLife/config.Day)
	return data.Frames{frame}, nil
}

// segmentOf reads the filter; nil means all segments.
func segmentOf(text string) (map[string]string, error) {
	if text == "" || text == question.Everything {
		return nil, nil
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(text, "|") {
		name, value, _ := strings.Cut(part, "=")
		if name != "customer_type" && name != "product_family" || value == "" {
			return nil, refuse(http.StatusBadRequest, "cannot read segment %q: want customer_type=…|product_family=…, "+
				"or one of the two", text)
		}
		parts[name] = value
	}
	return parts, nil
}

// segmentsFrame has a row for each segment, the one with the most invoices first.
func segmentsFrame(list []detectors.SegmentSummary, lang question.Lang) *data.Frame {
	r := newRow("baseline", lang)
	r.Meta.Type = data.FrameTypeNumericLong
	label := func(name, title string, of func(g *detectors.SegmentSummary) string) {
		values := make([]string, len(list))
		for i := range list {
			values[i] = of(&list[i])
		}
		r.add(data.NewField(name, nil, values), title, "")
	}
	number := func(name, title, unit string, of func(g *detectors.SegmentSummary) float64) {
		values := make([]*float64, len(list))
		for i := range list {
			n := of(&list[i])
			values[i] = &n
		}
		r.add(data.NewField(name, nil, values), title, unit)
	}
	type segment = detectors.SegmentSummary
	label("level", "Level", func(g *segment) string { return string(g.Level) })
	label("customer_type", "Customer type", func(g *segment) string { return g.CustomerType })
	label("product_family", "Product family", func(g *segment) string { return g.ProductFamily })
	label("currency", "Currency", func(g *segment) string { return g.Currency })
	label("footing", "15 % rule", func(g *segment) string { return string(g.Footing) })
	number("n", "Invoices", "short", func(g *segment) float64 { return float64(g.N) })
	number("mean", "Usual amount, net", "none", func(g *segment) float64 { return *amount(g.Mean) })
	number("cv", "Spread", "percentunit", func(g *segment) float64 { return g.CV })
	number("precision", "Alerts that are right, expected", "percentunit",
		func(g *segment) float64 { return g.Precision })
	number("recall", "Errors that are found, expected", "percentunit", func(g *segment) float64 { return g.Recall })
	return r.Frame
}

// baselines returns those of the topic, kept up to date from one query to the next.
func (s *Source) baselines(ctx context.Context) (*pipeline.Baselines, error) {
	client, err := s.kafka(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folded == nil {
		s.folded = pipeline.NewBaselines(client.Log(), s.settings.topics().Baselines)
	}
	return s.folded, nil
}

// lag tells how many invoices wait in each partition.
func (s *Source) lag(ctx context.Context, q *query) (data.Frames, error) {
	client, err := s.kafka(ctx)
	if err != nil {
		return nil, err
	}
	waiting, err := client.Lag(ctx, s.settings.Kafka.Group, s.settings.topics().Invoices)
	if err != nil {
		return nil, err
	}
	partitions, counts := []string{}, []*float64{}
	for _, p := range slices.Sorted(maps.Keys(waiting)) {
		n := float64(waiting[p])
		partitions, counts = append(partitions, strconv.Itoa(p)), append(counts, &n)
	}
	r := newRow("lag", q.Lang)
	r.Meta.Type = data.FrameTypeNumericLong
	r.add(data.NewField("partition", nil, partitions), "Partition", "")
	r.add(data.NewField("lag", nil, counts), "Invoices that wait", "short")
	return data.Frames{r.Frame}, nil
}
