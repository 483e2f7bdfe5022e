package invoice

import "slices"

// DecodeReference reads one reference.*.v1 record of any kind into r, as
// strictly as Decode reads an invoice, and sets every field of it. r shares no
// memory with data. The error is always a *DecodeError; r must not be used then.
func (d *Decoder) DecodeReference(data []byte, r *Reference) error {
	*r = Reference{}
	err := d.begin(data, nil)
	if err == nil {
		err = d.reference(data, r)
	}
	d.start(nil, nil)
	if err != nil {
		err.schema = "reference"
		return err
	}
	cloneObject(referenceFields[r.Kind], r)
	if r.PublishedAt.IsZero() {
		r.PublishedAt = r.ValidFrom
		if r.Kind == DeliveryReference {
			r.PublishedAt = r.ShippedAt
		}
	}
	return nil
}

// reference reads the record twice: its schema may stand anywhere, and names the
// table by which the other fields are read.
func (d *Decoder) reference(data []byte, r *Reference) (err *DecodeError) {
	if r.Kind, err = d.referenceKind(); err != nil {
		return err
	}
	d.start(data, d.arena)
	d.schema = r.Kind.String()
	return record(d, referenceFields[r.Kind], r)
}

// referenceKind reads members until it meets the schema.
func (d *Decoder) referenceKind() (ReferenceKind, *DecodeError) {
	if d.peek() != '{' {
		return 0, d.notObject()
	}
	if err := d.enter(); err != nil {
		return 0, err
	}
	for more := !d.empty('}'); more; {
		name, err := d.name()
		if err != nil {
			return 0, err
		}
		if name == "schema" && d.peek() != 'n' {
			return d.kindOf(name)
		}
		if err = d.skip(); err != nil {
			return 0, err.in(name)
		}
		if more, err = d.more('}'); err != nil {
			return 0, err
		}
	}
	return 0, refuse(ReasonMissingField, "a required field is absent").in("schema")
}

func (d *Decoder) kindOf(name string) (ReferenceKind, *DecodeError) {
	schema, err := d.quoted()
	if err != nil {
		return 0, err.in(name)
	}
	kind := slices.Index(referenceSchemas[:], schema)
	if kind < 0 {
		return 0, refuse(ReasonSchema, "schema %q is not known, this release reads %q",
			quotable(schema), referenceSchemas).in(name)
	}
	return ReferenceKind(kind), nil
}
