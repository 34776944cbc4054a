// Package doctor looks an installation over and says what is wrong with it and what to do.
package doctor

import (
	"context"
	"slices"
	"time"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/server/config"
)

// Grade is how bad a finding is.
type Grade string

// The grades.
const (
	Good    Grade = "ok"
	Warning Grade = "warning" // works, but will trouble somebody
	Bad     Grade = "error"   // does not work
)

// Finding is one thing that was looked at.
type Finding struct {
	Check string `json:"check"` // stable name
	Grade Grade  `json:"grade"`
	Text  Text   `json:"text"`           // what is so
	Cure  *Text  `json:"cure,omitempty"` // what to do
}

// Text is said in both languages.
type Text struct {
	English string `json:"en"`
	Korean  string `json:"ko"`
}

// Patient is the installation that is looked at.
type Patient struct {
	Settings *config.Settings // as given, perhaps not valid
	Running  bool             // a server serves its data folder now
	Run      app.RunInfo      // of that server
	Now      func() time.Time
}

// checkTimeout bounds each check: a mail server that never answers is a finding, not a reason to wait.
const checkTimeout = 15 * time.Second

// Examine makes every check, one after the other, and gives what it found.
func Examine(ctx context.Context, p *Patient) []Finding {
	if p.Now == nil {
		p.Now = time.Now
	}
	p.Run, p.Running = app.Running(p.Settings.Data)
	var all []Finding
	for _, check := range []func(context.Context, *Patient) []Finding{
		checkSettings, checkFolder, checkSpace, checkDatabase, checkPorts, checkClock, checkCertificate, checkPublicURL, checkMail,
	} {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		all = append(all, check(ctx, p)...)
		cancel()
	}
	return all
}

// Worst gives the worst grade of the findings.
func Worst(all []Finding) Grade {
	worst := Good
	for _, f := range all {
		if order := []Grade{Good, Warning, Bad}; slices.Index(order, f.Grade) > slices.Index(order, worst) {
			worst = f.Grade
		}
	}
	return worst
}

func good(check, english, korean string) []Finding {
	return []Finding{{Check: check, Grade: Good, Text: Text{english, korean}}}
}

func finding(check string, grade Grade, english, korean, cureEnglish, cureKorean string) []Finding {
	f := Finding{Check: check, Grade: grade, Text: Text{english, korean}}
	if cureEnglish != "" {
		f.Cure = &Text{cureEnglish, cureKorean}
	}
	return []Finding{f}
}
