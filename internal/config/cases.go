package config

import (
	"errors"
	"fmt"

	"recoup/cases"
	"recoup/cases/message"
)

// Cases says what a case tells those who work it.
type Cases struct {
	// Customer types of private persons, as invoices write them, whatever the case of letters: the law knows them.
	// By default B2C, consumer, private, individual, residential.
	ConsumerTypes []string `yaml:"consumer_types"`
	// Customer types of businesses. Of a type in neither list the shorter limitation holds. By default B2B, business,
	// professional, company, reseller, wholesale.
	BusinessTypes []string `yaml:"business_types"`
	// Country, ISO 3166, of customers of whom the invoice does not say it. By default none.
	Country string `yaml:"country"`
	// Years after the issue of an invoice in which its money can be claimed, where they differ from the table in
	// docs/CASES.md: such as FR/consumer=2, BE/business=10. By default none.
	Limitation []string `yaml:"limitation"`
	// Instalments that customers are offered, 2 to 12; 0: none. By default 3.
	Instalments int64 `yaml:"instalments"`
	// What a gesture of goodwill costs, as a share of what is due; 0%: none is offered. By default 10%.
	Goodwill Percent `yaml:"goodwill"`
	// Language of drafts to customers, fr or en. By default none: French in countries where most customers read it,
	// else English.
	Language string `yaml:"language"`
	// What drafts are for: email, phone or chat. By default email.
	Channel string `yaml:"channel"`
	// Folder with texts that replace those of recoup, such as fr/undercharge.email.txt; docs/CASES.md tells their
	// form. By default none.
	Templates string `yaml:"templates"`
	// Address of a board; {seller}, {case_id} and {invoice_id} are replaced. By default none.
	Dashboard string `yaml:"dashboard"`
	// Address of the folder with the runbooks that cases link to, such as https://wiki.example/recoup/runbooks; a path
	// is one of recoup's repository. By default docs/runbooks.
	Runbooks string `yaml:"runbooks"`
	// How many events and recoveries may wait for a case that recoup does not know, and how many disputed invoices may
	// be open of which it knows no more, 100 to 10000000. Above it the oldest of these events go to the dead letters,
	// and new disputes. By default 100000.
	MostUnknown int64 `yaml:"most_unknown"`
}

// defaultCases are the settings of cases where nothing else is said.
func defaultCases() Cases {
	return Cases{
		ConsumerTypes: []string{"B2C", "consumer", "private", "individual", "residential"},
		BusinessTypes: []string{"B2B", "business", "professional", "company", "reseller", "wholesale"},
		Limitation:    []string{},
		Instalments:   3,
		Goodwill:      1000,
		Channel:       message.Email,
		Runbooks:      cases.DefaultRunbooks,
		MostUnknown:   100_000,
	}
}

// Opener returns what opens cases. It reads the folder of templates; the error says
// which text lacks what.
func (c *Config) Opener() (cases.Opener, error) {
	s := &c.Cases
	limits, err := cases.ParseLimitations(s.Limitation)
	texts, errTexts := message.Load(s.Templates)
	if err = errors.Join(err, errTexts); err != nil {
		return cases.Opener{}, fmt.Errorf("cannot open cases: %w", err)
	}
	return cases.Opener{
		Database: c.ClickHouse.Database, HandlingCost: c.Scoring.HandlingCost,
		Terms:       cases.Terms{Instalments: int(s.Instalments), Goodwill: int64(s.Goodwill)},
		Kinds:       cases.CustomerKinds{Consumer: s.ConsumerTypes, Business: s.BusinessTypes},
		Limitations: limits, Country: s.Country, Dashboard: s.Dashboard, Runbooks: s.Runbooks,
		Messages: texts, Language: s.Language, Channel: s.Channel,
	}, nil
}

func (v *validator) cases(s *Cases) {
	if _, err := cases.ParseLimitations(s.Limitation); err != nil {
		v.wrong("cases.limitation", s.Limitation, err.Error())
	}
	if s.Country != "" && !cases.IsCountry(s.Country) {
		v.wrong("cases.country", s.Country, "expected a code of ISO 3166 such as FR")
	}
	if s.Instalments != 0 {
		between(v, "cases.instalments", s.Instalments, 2, 12)
	}
	between(v, "cases.goodwill", s.Goodwill, 0, 10_000)
	between(v, "cases.most_unknown", s.MostUnknown, 100, 10_000_000)
	if s.Language != "" {
		v.oneOf("cases.language", s.Language, message.French, message.English)
	}
	v.oneOf("cases.channel", s.Channel, message.Email, message.Phone, message.Chat)
}
