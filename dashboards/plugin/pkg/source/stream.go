package source

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/dashboards/question"
	"recoup/pipeline"
)

// casesPath begins the path of the channel of a seller's cases: cases/<lang>/<seller>.
const casesPath = "cases/"

// channelOf is the path of the channel of a seller's cases in a language.
func channelOf(lang question.Lang, seller string) string {
	if lang != question.French {
		lang = question.English
	}
	return casesPath + string(lang) + "/" + channelName(seller)
}

// watched is what channelOf made a path of; ok is false when it made no such path.
func watched(path string) (lang question.Lang, seller string, ok bool) {
	name, ok := strings.CutPrefix(path, casesPath)
	if !ok {
		return "", "", false
	}
	language, name, _ := strings.Cut(name, "/")
	lang = question.Lang(language)
	seller, ok = sellerOf(name)
	return lang, seller, ok && channelOf(lang, seller) == path
}

// SubscribeStream lets whoever may see the organisation watch a seller's cases.
func (s *Source) SubscribeStream(_ context.Context, req *backend.SubscribeStreamRequest) (
	*backend.SubscribeStreamResponse, error) {
	status := backend.SubscribeStreamStatusOK
	user := req.PluginContext.User
	switch _, _, known := watched(req.Path); {
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
	lang, seller, known := watched(req.Path)
	switch {
	case s.problem != nil:
		return s.problem
	case !known:
		return refuse(http.StatusNotFound, "cannot watch %q: want %s<language>/<seller>", req.Path, casesPath)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ended, cancel)()
	w := &watcher{seller: seller, since: time.Now().Add(-overlap), gone: ctx.Done(), cases: make(chan []happened)}
	f, missed := s.watch(w)
	defer s.unwatch(f, w)
	for next := missed; ; {
		if len(next) > 0 {
			frame := caseFrame(lang)
			for _, one := range next {
				appendCase(frame, one.at, one.of, lang)
			}
			if err := sender.SendFrame(frame, data.IncludeAll); err != nil {
				return fmt.Errorf("cannot send a case to Grafana: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil // nobody watches, or the settings have changed: Grafana starts it again
		case next = <-w.cases:
		}
	}
}

// watch makes cases come to a watcher, and returns those that came just before. The
// first who watches starts the one follower of the source.
func (s *Source) watch(w *watcher) (f *follower, missed []happened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.follower == nil {
		ctx, cancel := context.WithCancel(s.ended)
		s.follower = &follower{since: w.since, end: cancel, count: recount, watchers: map[*watcher]bool{}}
		go s.follower.run(ctx, s.settings.topics().Cases, func(ctx context.Context) (pipeline.Log, error) {
			client, err := s.kafka(ctx)
			if err != nil {
				return nil, err
			}
			return client.Log(), nil
		})
	}
	return s.follower, s.follower.join(w)
}

// unwatch ends it. With the last who watches the follower ends.
func (s *Source) unwatch(f *follower, w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.leave(w) == 0 {
		f.end()
		if s.follower == f {
			s.follower = nil
		}
	}
}
