package detectors

// detectSecondInvoiceForDelivery finds a delivery that is invoiced again under
// another invoice_id (E2). An invoice that names the one it replaces
// (preceding_invoice_number) is a reissue, not a duplicate; revisions have the
// same id; credit notes and corrections are not looked at at all.
func detectSecondInvoiceForDelivery(s *Subject) (Finding, bool) {
	inv := s.Invoice
	if s.FirstForDelivery == "" || s.FirstForDelivery == inv.ID || inv.PrecedingID != "" {
		return Finding{}, false
	}
	return Finding{
		Code: CauseDuplicate, Kind: "delivery", P: s.ev.proves(proofDelivery), Repaired: 0,
		Evidence: s.list(s.say("delivery %s was already invoiced with invoice %s",
			inv.DeliveryRef, s.FirstForDelivery)),
	}, true
}
