package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/cases"
	"recoup/dashboards/question"
	"recoup/pipeline"
)

// casesPath begins the path of the channel of a seller's cases: cases/<seller>.
const casesPath = "cases/"

// watched is the seller of a channel; ok is false when it is not one of cases.
func watched(path string) (seller string, ok bool) {
	name, ok := strings.CutPrefix(path, casesPath)
	if !ok {
		return "", false
	}
	return sellerOf(name)
}

// SubscribeStream lets whoever may see the organisation watch a seller's cases.
func (s *Source) SubscribeStream(_ context.Context, req *backend.SubscribeStreamRequest) (
	*backend.SubscribeStreamResponse, error) {
	status := backend.SubscribeStreamStatusOK
	user := req.PluginContext.User
	switch _, known := watched(req.Path); {
	case !known || s.problem != nil:
		status = backend.SubscribeStreamStatusNotFound
	case user == nil || !maySee(user.Role):
		status = backend.SubscribeStreamStatusPermissionDenied
	}
	return &backend.SubscribeStreamResponse{Status: status}, nil
}

// PublishStream is refused: only recoup writes cases.
func (s *Source) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

// RunStream sends each record of a seller's cases as it comes, until nobody
// watches. Grafana calls it once for all who do.
func (s *Source) RunStream(ctx context.Context, req *backend.RunStreamRequest, sender *backend.StreamSender) error {
	seller, _ := watched(req.Path)
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return refuse(http.StatusTooManyRequests, "cannot watch seller %q: %d sellers are watched already", seller,
			mostStreams)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ended, cancel)()
	places := map[int]int64{}
	for wait := firstPause; ; wait = min(2*wait, mostPause) {
		began := time.Now()
		err := s.follow(ctx, seller, places, sender)
		if ctx.Err() != nil {
			return nil // nobody watches, or the settings have changed: Grafana starts it again
		}
		if time.Since(began) > mostPause {
			wait = firstPause
		}
		backend.Logger.Warn("cannot follow the cases, trying again", "seller", seller, "error", sentence(err), "in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// Pauses before Kafka is tried again.
const (
	firstPause = 250 * time.Millisecond
	mostPause  = 10 * time.Second
)

// follow reads every partition of the cases until one fails: from the offsets of
// places, where it notes how far it came, else from the end on.
func (s *Source) follow(ctx context.Context, seller string, places map[int]int64, sender *backend.StreamSender) error {
	client, err := s.kafka(ctx)
	if err != nil {
		return err
	}
	log, topic := client.Log(), s.settings.topics().Cases
	partitions, err := log.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	frames, ended := make(chan *data.Frame), make(chan part, partitions)
	for p := range partitions {
		at, known := places[p]
		if !known {
			at = -1
		}
		go func() {
			one := part{partition: p, at: at}
			one.err = one.follow(ctx, log, topic, seller, frames)
			ended <- one
		}()
	}
	for running := partitions; running > 0; {
		select {
		case frame := <-frames:
			if sent := sender.SendFrame(frame, data.IncludeAll); sent != nil {
				err = errors.Join(err, fmt.Errorf("cannot send a case to Grafana: %w", sent))
				cancel()
			}
		case one := <-ended:
			running--
			places[one.partition] = one.at
			if err == nil {
				err = one.err
			}
			cancel() // the others, too: all begin again together
		}
	}
	return err
}

// part is a partition of the cases as it is followed.
type part struct {
	partition int
	at        int64 // next offset; -1: the end
	err       error // why it is followed no more
}

// follow sends a frame for each fetch that has cases of the seller.
func (p *part) follow(ctx context.Context, log pipeline.Log, topic, seller string, frames chan<- *data.Frame) error {
	reader := log.Open(topic, p.partition)
	defer reader.Close()
	for {
		if p.at < 0 {
			_, end, err := log.Bounds(ctx, topic, p.partition)
			if err != nil {
				return err
			}
			p.at = end
		}
		got, err := reader.Fetch(ctx, p.at)
		if errors.Is(err, pipeline.ErrOutOfRange) {
			p.at = -1 // the topic was cut, or made anew
			continue
		}
		if err != nil {
			return err
		}
		frame := caseFrame(question.English)
		for i := range got.Records {
			c := &cases.Case{}
			if json.Unmarshal(got.Records[i].Value, c) == nil && c.Schema == cases.Schema && c.Seller == seller {
				appendCase(frame, got.Records[i].Time, c, question.English)
			}
		}
		if frame.Rows() > 0 {
			select {
			case frames <- frame:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		p.at = got.Next
	}
}
