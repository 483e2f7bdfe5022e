package house

import (
	"go/ast"
	"go/token"
)

// checkDocs wants a comment on every exported name, on every method of an
// exported interface and on every exported field of an exported struct. A
// comment on a group of constants or variables, or behind or above a line of
// fields, counts for all in it; embedded fields are exempt.
func (f goFile) checkDocs() (found []Violation) {
	for _, declaration := range f.tree.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			if declaration.Name.IsExported() && exportedReceiver(declaration) && declaration.Doc == nil {
				found = append(found, f.undocumented(declaration.Name))
			}
		case *ast.GenDecl:
			found = append(found, f.checkGroup(declaration)...)
		}
	}
	return found
}

func (f goFile) undocumented(name *ast.Ident) Violation {
	return f.violation(name.Pos(), "documentation", "%s has no comment: say what its name does not", name.Name)
}

// exportedReceiver is true for functions and for methods of exported types.
func exportedReceiver(function *ast.FuncDecl) bool {
	if function.Recv == nil {
		return true
	}
	receiver := function.Recv.List[0].Type
	for {
		switch inner := receiver.(type) {
		case *ast.StarExpr:
			receiver = inner.X
		case *ast.IndexExpr:
			receiver = inner.X
		case *ast.IndexListExpr:
			receiver = inner.X
		case *ast.Ident:
			return inner.IsExported()
		default:
			return true
		}
	}
}

func (f goFile) checkGroup(group *ast.GenDecl) (found []Violation) {
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			if group.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				for _, name := range spec.Names {
					if name.IsExported() {
						found = append(found, f.undocumented(name))
					}
				}
			}
		case *ast.TypeSpec:
			if !spec.Name.IsExported() {
				continue
			}
			single := group.Lparen == token.NoPos
			if spec.Doc == nil && spec.Comment == nil && !(single && group.Doc != nil) {
				found = append(found, f.undocumented(spec.Name))
			}
			found = append(found, f.checkMembers(spec.Type)...)
		}
	}
	return found
}

// checkMembers looks at the fields of a struct, of structs in it, and at the
// methods of an interface.
func (f goFile) checkMembers(expression ast.Expr) (found []Violation) {
	var members *ast.FieldList
	switch expression := expression.(type) {
	case *ast.StructType:
		members = expression.Fields
	case *ast.InterfaceType:
		members = expression.Methods
	case *ast.StarExpr:
		return f.checkMembers(expression.X)
	case *ast.ArrayType:
		return f.checkMembers(expression.Elt)
	case *ast.MapType:
		return f.checkMembers(expression.Value)
	default:
		return nil
	}
	for _, member := range members.List {
		for _, name := range member.Names { // none when embedded
			if name.IsExported() && member.Doc == nil && member.Comment == nil {
				found = append(found, f.undocumented(name))
			}
		}
		found = append(found, f.checkMembers(member.Type)...)
	}
	return found
}
