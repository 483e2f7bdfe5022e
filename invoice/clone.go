package invoice

import (
	"slices"
	"strings"
	"time"
)

// Clone returns a copy that shares no memory with inv or the record it was
// decoded from. Empty lists become nil, so that two clones of equal invoices
// are equal by reflect.DeepEqual.
func (inv *Invoice) Clone() *Invoice {
	c := *inv
	c.unescaped = nil
	cloneObject(invoiceFields, &c)
	return &c
}

func cloneObject[T any](o *object[T], v *T) {
	for i := range o.fields {
		switch p := o.fields[i].at(v).(type) {
		case *string:
			*p = strings.Clone(*p)
		case *time.Time:
			*p = p.UTC()
		case *[]string:
			*p = cloneList(*p)
			for i := range *p {
				(*p)[i] = strings.Clone((*p)[i])
			}
		case *CRM:
			cloneObject(crmFields, p)
		case *[]Line:
			*p = cloneList(*p)
			for i := range *p {
				cloneObject(lineFields, &(*p)[i])
			}
		}
	}
}

func cloneList[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}
