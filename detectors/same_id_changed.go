package detectors

const sameIDChangedP = 0.95

// detectSameIDChanged finds an invoice that comes again under the same seller,
// id, revision and stage with other content: two invoices share a number, or one
// was changed without a new revision. Only one of the two can be owed.
func detectSameIDChanged(s *Subject) (Finding, bool) {
	if !s.Changed {
		return Finding{}, false
	}
	inv := s.Invoice
	return Finding{
		Code: CauseDuplicate, Kind: "same_id_changed", P: sameIDChangedP, Repaired: 0,
		Evidence: s.list(s.say("invoice %s, revision %d, came before with other content",
			inv.ID, inv.Revision)),
	}, true
}
