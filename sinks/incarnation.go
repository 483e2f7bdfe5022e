package sinks

import (
	"context"
	"fmt"
)

// LastIncarnation returns the highest incarnation of a topic that has rows, -1 where
// none has.
func (r *Reader) LastIncarnation(ctx context.Context, topic string) (last int64, err error) {
	err = r.client.each(ctx, statement{parameters: map[string]string{"topic": topic},
		sql: "SELECT if(count() = 0, -1, max(source_incarnation)) FROM " + r.client.in(tableInvoices) +
			" WHERE source_topic = {topic:String}"},
		func(scan func(...any) error) error { return scan(&last) })
	if err != nil {
		return 0, explain(fmt.Sprintf("read the incarnations of topic %q", topic), err)
	}
	return last, nil
}
