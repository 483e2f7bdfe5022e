package main

import (
	"testing"
	"time"

	"recoup/internal/app"
	"recoup/internal/kafka"
)

// The doctor says when invoices are scored and nobody works what comes of their cases.
func TestDoctorStage(t *testing.T) {
	c, cfg := client(t, settingsFor(t, fakeKafka(t), deadAddress(t), "recoup"))
	if _, err := c.EnsureTopics(t.Context(), topicSpecs(cfg.TopicTable(1), 1), false); err != nil {
		t.Fatal(err)
	}
	look := func() string {
		x := &examination{settings: cfg}
		x.stage(t.Context(), c)
		if len(x.findings) != 1 {
			t.Fatalf("%d findings, want 1", len(x.findings))
		}
		return x.findings[0].Detail + x.findings[0].Problem
	}
	commit := func(group, topic string) {
		g := c.Group(kafka.GroupSettings{ID: group, Topic: topic, SessionTimeout: 2 * time.Second})
		defer g.Close()
		gen, err := g.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer gen.Leave()
		if err := gen.Commit(t.Context(), map[int]int64{0: 0}); err != nil {
			t.Fatal(err)
		}
	}
	contains(t, look(), "not begun")
	commit(cfg.Kafka.Group, cfg.Kafka.Topics.Invoices)
	contains(t, look(), "no process has ever run the case stage")
	commit(app.StageGroup(cfg), cfg.Kafka.Topics.Lead)
	contains(t, look(), "has an owner, or had one")
}
