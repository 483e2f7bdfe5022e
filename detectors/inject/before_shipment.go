package inject

import "time"

// spoilBeforeDelivery has the goods leave 1 to 14 days after the invoice. It fits
// what left before, and was not paid in advance: prepayers are usually billed first.
func spoilBeforeDelivery(d *draft) bool {
	src := d.src
	if src.ShippedAt.IsZero() || src.ShippedAt.After(src.IssuedAt) || src.PrepaidAmount.Value != 0 {
		return false
	}
	const day = 24 * time.Hour
	d.inv.ShippedAt = src.IssuedAt.Add(time.Duration(d.between(float64(day), float64(14*day))).Truncate(time.Second))
	return true
}

// notDeliveredEither is the share of cases without a shipment in which the
// delivery is not known either.
const notDeliveredEither = 0.5

// spoilNotDelivered takes the shipment away, in half of the cases the delivery
// too. It fits what was shipped and not paid in advance.
func spoilNotDelivered(d *draft) bool {
	if d.src.ShippedAt.IsZero() || d.src.PrepaidAmount.Value != 0 {
		return false
	}
	d.inv.ShippedAt = time.Time{}
	if d.chance(notDeliveredEither) {
		d.dropDelivery()
	}
	return true
}

// dropDelivery takes away the delivery of the invoice and of all lines.
func (d *draft) dropDelivery() {
	d.inv.DeliveryRef = ""
	for i := range d.inv.Lines {
		d.inv.Lines[i].DeliveryRef = ""
	}
}
