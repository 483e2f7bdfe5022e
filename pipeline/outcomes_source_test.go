package pipeline

import "testing"

// The case of a dispute names the dispute's position: read as an invoice's, its decision
// would teach somebody else's invoice, or stop a worker for ever where the topic of
// disputes has more partitions.
func TestDisputesTeachNoOtherInvoice(t *testing.T) {
	o := &outcomes{m: &Member{opt: Options{Topics: Topics{Invoices: "billing.invoices"}}}}
	o.known.limit = 10
	o.takeCases(0, &Fetched{Records: []Record{
		{Value: []byte(`{"case_id":"disputed","kind":"invoice",` +
			`"source":{"topic":"recoup.disputes","partition":2,"offset":1}}`)},
		{Value: []byte(`{"case_id":"found","kind":"invoice",` +
			`"source":{"topic":"billing.invoices","partition":2,"offset":1}}`)},
	}})
	if p, known := o.known.find("disputed"); !known || p.partition != nowhere {
		t.Errorf("a dispute is taken for an invoice: %+v, %v", p, known)
	}
	if p, known := o.known.find("found"); !known || p.partition != 2 || p.offset != 1 {
		t.Errorf("the place of an invoice is %+v, %v", p, known)
	}
}
