package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What people and programs can be answered with stands in the documentation, in both languages, and nothing else does.
func TestDocs_EveryCode(t *testing.T) {
	root := filepath.Join("..", "..")
	answers := map[string]bool{"slow_down": true}
	for _, dir := range []string{"internal/server", "cmd/factor"} {
		maps.Copy(answers, problemCodes(t, filepath.Join(root, dir)))
	}
	wire := filepath.Join(root, "internal", "wire")
	for _, of := range []struct{ dir, kind string }{{wire, "NameFault"}, {filepath.Join(root, "internal/server/file/gcode"), "Code"}} {
		maps.Copy(answers, constants(t, of.dir, of.kind))
	}
	results, reasons := constants(t, wire, "ResultCode"), constants(t, wire, "Hindrance")
	maps.Copy(reasons, constants(t, wire, "LineFault"))
	maps.Copy(reasons, assigned(t, filepath.Join(root, "internal/server/command"), "Reason"))
	delete(reasons, "")
	carried := failedCodes(t, filepath.Join(root, "internal/agent/transfer"))
	if len(answers) < 100 || len(results) < 8 || len(reasons) < 15 || len(carried) < 10 {
		t.Fatalf("not all were found: %d answers, %d results, %d reasons, %d failures", len(answers), len(results), len(reasons), len(carried))
	}
	for language, heading := range map[string][2]string{"en": {"## Answers of the API", "## Reasons"}, "ko": {"## API의 응답", "## 이유"}} {
		page := read(t, filepath.Join(root, "docs", language, "error-codes.md"))
		_, api, ok := strings.Cut(page, heading[0]+"\n")
		api, why, also := strings.Cut(api, heading[1]+"\n")
		if !ok || !also {
			t.Fatalf("%s: no section %q or %q", language, heading[0], heading[1])
		}
		same(t, language+", answers", listed(api), answers)
		same(t, language+", reasons", listed(why), reasons)
		has(t, language+", control.md", listed(read(t, filepath.Join(root, "docs", language, "control.md"))), results)
		has(t, language+", files.md", listed(read(t, filepath.Join(root, "docs", language, "files.md"))), carried)
	}
}

// row is the first cell of a table's row: one or more codes.
var row, code = regexp.MustCompile("(?m)^\\| (`[^|]*) \\|"), regexp.MustCompile("`([a-z_0-9]+)`")

func listed(page string) map[string]bool {
	codes := map[string]bool{}
	for _, cell := range row.FindAllStringSubmatch(page, -1) {
		for _, c := range code.FindAllStringSubmatch(cell[1], -1) {
			codes[c[1]] = true
		}
	}
	return codes
}

func same(t *testing.T, where string, listed, said map[string]bool) {
	t.Helper()
	has(t, where, listed, said)
	for _, c := range slices.Sorted(maps.Keys(listed)) {
		if !said[c] {
			t.Errorf("%s: nobody says %s any more", where, c)
		}
	}
}

func has(t *testing.T, where string, listed, said map[string]bool) {
	t.Helper()
	for _, c := range slices.Sorted(maps.Keys(said)) {
		if !listed[c] {
			t.Errorf("%s: %s is missing", where, c)
		}
	}
}

// problemCodes are those of problem.New and problem.Field below a folder.
func problemCodes(t *testing.T, root string) map[string]bool {
	codes := map[string]bool{}
	packages(t, root, func(files []*ast.File) {
		texts := map[string]string{} // constants by name
		for _, f := range files {
			eachConstant(f, func(name, _, value string) { texts[name] = value })
		}
		note := func(code ast.Expr) {
			switch code := code.(type) {
			case *ast.BasicLit:
				codes[text(code)] = true
			case *ast.Ident:
				if texts[code.Name] != "" {
					codes[texts[code.Name]] = true
				}
			}
		}
		for _, f := range files {
			eachCall(f, func(name string, args []ast.Expr) {
				at := map[string]int{"problem.New": 1, "problem.Field": 0, "New": 1, "Field": 0}
				i, is := at[name]
				if !is || len(args) <= i || (!strings.Contains(name, ".") && f.Name.Name != "problem") {
					return
				}
				note(args[i])
			})
			eachField(f, func(of string, value ast.Expr) {
				if of == "Problem" || of == "finding" {
					note(value)
				}
			})
			if f.Name.Name == "problem" { // what statuses are called
				ast.Inspect(f, func(n ast.Node) bool {
					if fn, is := n.(*ast.FuncDecl); is && fn.Name.Name == "codeOf" {
						ast.Inspect(fn, func(n ast.Node) bool {
							if lit, is := n.(*ast.BasicLit); is {
								codes[text(lit)] = true
							}
							return true
						})
					}
					return true
				})
			}
		}
	})
	return codes
}

// constants are those of a type in a folder; of LineFault, which is no type, the values of the table lineFaults.
func constants(t *testing.T, dir, kind string) map[string]bool {
	codes := map[string]bool{}
	packages(t, dir, func(files []*ast.File) {
		for _, f := range files {
			eachConstant(f, func(_, of, value string) {
				if of == kind {
					codes[value] = true
				}
			})
			ast.Inspect(f, func(n ast.Node) bool {
				v, is := n.(*ast.ValueSpec)
				if !is || kind != "LineFault" || v.Names[0].Name != "lineFaults" {
					return true
				}
				for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
					codes[text(e.(*ast.KeyValueExpr).Value.(*ast.BasicLit))] = true
				}
				return false
			})
		}
	})
	return codes
}

// assigned are the texts that a field of a problem is set to below a folder.
func assigned(t *testing.T, root, field string) map[string]bool {
	codes := map[string]bool{}
	packages(t, root, func(files []*ast.File) {
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				a, is := n.(*ast.AssignStmt)
				if !is || len(a.Lhs) != len(a.Rhs) {
					return true
				}
				for i, to := range a.Lhs {
					sel, is := to.(*ast.SelectorExpr)
					lit, constant := a.Rhs[i].(*ast.BasicLit)
					if is && constant && sel.Sel.Name == field {
						codes[text(lit)] = true
					}
				}
				return true
			})
		}
	})
	return codes
}

// failedCodes are why the agent says that a file was not carried.
func failedCodes(t *testing.T, dir string) map[string]bool {
	codes := map[string]bool{}
	packages(t, dir, func(files []*ast.File) {
		for _, f := range files {
			eachCall(f, func(name string, args []ast.Expr) {
				if lit, is := first(args).(*ast.BasicLit); is && name == "failed" {
					codes[text(lit)] = true
				}
			})
		}
	})
	return codes
}

func first(args []ast.Expr) ast.Expr {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

func text(lit *ast.BasicLit) string {
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

func eachConstant(f *ast.File, do func(name, of, value string)) {
	for _, d := range f.Decls {
		g, is := d.(*ast.GenDecl)
		if !is || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			of, _ := v.Type.(*ast.Ident)
			for i, value := range v.Values {
				if lit, is := value.(*ast.BasicLit); is && lit.Kind == token.STRING {
					kind := ""
					if of != nil {
						kind = of.Name
					}
					do(v.Names[i].Name, kind, text(lit))
				}
			}
		}
	}
}

// eachField gives the value of the field Code in each literal of a type.
func eachField(f *ast.File, do func(of string, value ast.Expr)) {
	ast.Inspect(f, func(n ast.Node) bool {
		lit, is := n.(*ast.CompositeLit)
		if !is {
			return true
		}
		of := ""
		switch typ := lit.Type.(type) {
		case *ast.Ident:
			of = typ.Name
		case *ast.SelectorExpr:
			of = typ.Sel.Name
		}
		for _, e := range lit.Elts {
			if kv, is := e.(*ast.KeyValueExpr); is {
				if key, is := kv.Key.(*ast.Ident); is && key.Name == "Code" {
					do(of, kv.Value)
				}
			}
		}
		return true
	})
}

func eachCall(f *ast.File, do func(name string, args []ast.Expr)) {
	ast.Inspect(f, func(n ast.Node) bool {
		c, is := n.(*ast.CallExpr)
		if !is {
			return true
		}
		switch fn := c.Fun.(type) {
		case *ast.Ident:
			do(fn.Name, c.Args)
		case *ast.SelectorExpr:
			if of, is := fn.X.(*ast.Ident); is {
				do(of.Name+"."+fn.Sel.Name, c.Args)
			}
		}
		return true
	})
}

// packages parses the files of each folder below root, without tests.
func packages(t *testing.T, root string, do func(files []*ast.File)) {
	t.Helper()
	byDir := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		byDir[filepath.Dir(path)] = append(byDir[filepath.Dir(path)], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range byDir {
		do(files)
	}
}
