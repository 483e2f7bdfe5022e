package main

import (
	"context"
	"errors"

	"recoup/internal/app"
	"recoup/internal/kafka"
	"recoup/pipeline"
)

// stage says whether a process has run the case stage: without one nothing that people
// and customers say reaches the cases, and nothing finds what invoices have in common.
func (x *examination) stage(ctx context.Context, client *kafka.Client) {
	group, lead := app.StageGroup(x.settings), x.settings.Kafka.Topics.Lead
	committed, err := client.CommittedOffsets(ctx, group, lead)
	scored, scoredErr := client.CommittedOffsets(ctx, x.settings.Kafka.Group, x.settings.Kafka.Topics.Invoices)
	switch err = errors.Join(err, scoredErr); {
	case errors.Is(err, pipeline.ErrNoTopic):
		return // the check of the topics says it
	case err != nil:
		x.failed("case stage", err, "let this user read group "+group+" (ACL operation Describe)")
	case begun(committed):
		x.ok("case stage", "group %s has an owner, or had one", group)
	case begun(scored):
		x.wrong("case stage", "invoices are scored, but no process has ever run the case stage: cases stay as opened",
			"let recoup join group "+group+" (ACL operation Read) on "+lead+"; its /readyz says what keeps it out")
	default:
		x.ok("case stage", "not begun, as nothing is scored yet")
	}
}

// begun tells whether anything was committed.
func begun(offsets map[int]int64) bool {
	for _, offset := range offsets {
		if offset >= 0 {
			return true
		}
	}
	return false
}
