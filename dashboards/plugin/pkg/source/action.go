package source

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/cases"
	"recoup/dashboards/question"
	"recoup/invoice"
	"recoup/pipeline"
)

// mostBody is how many bytes the body of an action may have.
const mostBody = 16 << 10

// maySee tells whether somebody of a role may look at cases, mayAct whether they may
// do something about them.
func maySee(role string) bool { return role == "Viewer" || mayAct(role) }
func mayAct(role string) bool { return role == "Editor" || role == "Admin" }

// order is what somebody wants to be noted of a case: the body of an action.
type order struct {
	Seller        string          `json:"seller"`         // whose case it is
	TrueCause     string          `json:"true_cause"`     // of confirm; by default the first cause of the case
	CorrectAmount *invoice.Amount `json:"correct_amount"` // of confirm: what should have been billed
	Amount        *invoice.Amount `json:"amount"`         // of recovered; by default what is owed
	Option        cases.Option    `json:"option"`         // of recovered; by default the one under way
	EventID       string          `json:"event_id"`       // makes a second click the same event; by default a new one
	Lang          question.Lang   `json:"lang"`           // of the answer: en, or fr; by default en
}

// notedAlready answers a second click.
var notedAlready = question.Text{EN: "Noted already.", FR: "Déjà noté."}

// act notes what somebody did with a case: the same records, checked in the same way,
// as `recoup case` writes.
func (s *Source) act(ctx context.Context, caseID, action string, req *backend.CallResourceRequest) (any, error) {
	build := actions[action]
	if build == nil {
		return nil, refuse(http.StatusNotFound, "cannot %q a case: want acknowledge, confirm, false_alarm or recovered",
			action)
	}
	o, role, err := orderOf(action, req)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout())
	defer cancel()
	switch first, err := s.clicks.begin(ctx, o.EventID); {
	case err != nil:
		return nil, err
	case !first:
		return said{notedAlready.In(o.Lang)}, nil
	}
	noted := false
	defer func() { s.clicks.end(o.EventID, noted) }()
	known, err := s.caseOf(ctx, o.Seller, caseID)
	if err != nil {
		return nil, err
	}
	if known.has(o.EventID) {
		return said{notedAlready.In(o.Lang)}, nil
	}
	written, err := build(known, o, role)
	if err != nil {
		return nil, err
	}
	if err := s.write(ctx, caseID, written); err != nil {
		return nil, err
	}
	noted = true
	return said{written.message.In(o.Lang)}, nil
}

// orderOf reads what is wanted, from somebody who may want it, and from no other site:
// a form there cannot send JSON.
func orderOf(action string, req *backend.CallResourceRequest) (o *order, role string, err error) {
	user := req.PluginContext.User
	if user == nil || !mayAct(user.Role) {
		return nil, "", decline(http.StatusForbidden, question.Text{
			EN: "cannot %s a case: that takes the role Editor or Admin in Grafana",
			FR: "action %s impossible : il faut le rôle Éditeur ou Administrateur dans Grafana"}, action)
	}
	kind, _, err := mime.ParseMediaType(req.GetHTTPHeader("Content-Type"))
	switch {
	case err != nil || kind != "application/json":
		return nil, "", refuse(http.StatusUnsupportedMediaType, "cannot read the body: want Content-Type application/json")
	case len(req.Body) > mostBody:
		return nil, "", refuse(http.StatusRequestEntityTooLarge, "cannot read a body of %d bytes: want at most %d",
			len(req.Body), mostBody)
	}
	o = &order{}
	if err := json.Unmarshal(req.Body, o); err != nil {
		return nil, "", refuse(http.StatusBadRequest, "cannot read the body: %v", err)
	}
	if o.EventID == "" {
		o.EventID = uuid.NewString()
	}
	return o, user.Role, nil
}

// langOf is the language of the answer to a body that may be refused, English of one that
// cannot be read.
func langOf(body []byte) question.Lang {
	var o struct {
		Lang question.Lang `json:"lang"`
	}
	if len(body) <= mostBody {
		_ = json.Unmarshal(body, &o) // who sent that is told what is wrong with it
	}
	return o.Lang
}

// caseOf finds a case and what people did with it.
func (s *Source) caseOf(ctx context.Context, seller, caseID string) (*knownCase, error) {
	if seller == "" {
		return nil, refuse(http.StatusBadRequest, "cannot find case %q: seller is absent", caseID)
	}
	state, found, err := s.reader.Case(ctx, seller, caseID)
	if err != nil {
		return nil, decline(http.StatusBadGateway, question.Text{EN: "cannot read case %q: %w",
			FR: "impossible de lire le dossier %q : %w"}, caseID, err)
	}
	if !found {
		return nil, decline(http.StatusNotFound, question.Text{
			EN: "cannot find case %q of seller %q: it may not have been copied into ClickHouse yet; try again in some seconds",
			FR: "dossier %q du vendeur %q introuvable : il n'est peut-être pas encore copié dans ClickHouse ; réessayez dans " +
				"quelques secondes"}, caseID, seller)
	}
	life, err := s.reader.Life(ctx, caseID)
	if err != nil {
		return nil, decline(http.StatusBadGateway, question.Text{EN: "cannot read what happened to case %q: %w",
			FR: "impossible de lire ce qu'il est advenu du dossier %q : %w"}, caseID, err)
	}
	return &knownCase{&state.Case, life}, nil
}

// write appends a record to its topic.
func (s *Source) write(ctx context.Context, caseID string, r *record) error {
	client, err := s.kafka(ctx)
	if err != nil {
		return err
	}
	topics := s.settings.topics()
	topic := topics.CaseEvents
	if r.recovery {
		topic = topics.Recoveries
	}
	return pipeline.Send(ctx, client.Log(), topic, caseID, r.value)
}

// mostSent bounds how many event ids are remembered; what is older is in ClickHouse.
const mostSent = 1024

// clicks are the actions that are under way, by event id, and those written last, which
// ClickHouse may not have yet.
type clicks struct {
	mu       sync.Mutex               // guards what follows; nobody holds it over the network
	underWay map[string]chan struct{} // closed at the end
	sent     []string
}

// begin waits until no action of that id is under way; first is false when one was written.
func (c *clicks) begin(ctx context.Context, id string) (first bool, err error) {
	for {
		c.mu.Lock()
		if slices.Contains(c.sent, id) {
			c.mu.Unlock()
			return false, nil
		}
		other := c.underWay[id]
		if other == nil {
			if c.underWay == nil {
				c.underWay = map[string]chan struct{}{}
			}
			c.underWay[id] = make(chan struct{})
			c.mu.Unlock()
			return true, nil
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return false, decline(http.StatusGatewayTimeout, question.Text{
				EN: "cannot tell whether the first click was noted; try again: %w",
				FR: "impossible de dire si le premier clic est noté ; réessayez : %w"}, ctx.Err())
		}
	}
}

// end lets the next action of that id begin, which sees whether this one was written.
func (c *clicks) end(id string, written bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.underWay[id])
	delete(c.underWay, id)
	if !written {
		return
	}
	if len(c.sent) == mostSent {
		c.sent = slices.Delete(c.sent, 0, mostSent/2)
	}
	c.sent = append(c.sent, id)
}
