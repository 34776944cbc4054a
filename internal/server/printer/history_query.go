package printer

import (
	"context"
	"slices"
	"sort"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// maxSamples bounds the answer to one question about history: 25 hours at 10 s, 6 days at 1 min, 2 months at 10 min.
const maxSamples = 9000

// maxColumns bounds it in the other direction: what a block may have, and as much again for heaters that were renamed.
const maxColumns = 2 * maxBlockColumns

// History is a printer's past as columns. Where a column has no value it has null; where nothing at all is known, a
// place of nulls ends the line and then the time jumps.
type History struct {
	From    time.Time         `json:"from"`
	To      time.Time         `json:"to"`
	Step    int64             `json:"step" enum:"10,60,600" doc:"s between two places"`
	T       []int64           `json:"t" doc:"Unix seconds"`
	Columns map[string]Series `json:"columns" doc:"tool0.actual, tool0.target, bed.actual, …: °C; completion: %; status: text"`
}

// Series is one column: numbers, or statuses as text, or null.
type Series []any

// chooseStep gives the finest step that reaches back to from and answers within maxSamples.
func chooseStep(now, from, to time.Time, wanted int64) (tier, error) {
	for _, t := range tiers {
		fits := to.Unix()-from.Unix() <= t.step*maxSamples
		switch {
		case wanted == t.step && !fits:
			return tier{}, problem.Field("range_too_long", "from", "With this step, the range is too long for one answer. Ask for a shorter one or a coarser step.")
		case wanted == t.step:
			return t, nil
		case wanted == 0 && fits && now.Unix()-from.Unix() <= t.keep:
			return t, nil
		}
	}
	if wanted != 0 {
		return tier{}, problem.Field("step_invalid", "step", "The step is 10, 60 or 600 seconds.")
	}
	last := tiers[len(tiers)-1]
	if to.Unix()-from.Unix() > last.step*maxSamples {
		return tier{}, problem.Field("range_too_long", "from", "The range is too long for one answer: ask for at most 62 days.")
	}
	return last, nil
}

// History reads a printer's past from from to to, both included. step 0 takes the finest that fits. Errors: problems
// range_invalid, range_too_long, step_invalid.
func (s *Service) History(ctx context.Context, printerID string, from, to time.Time, step int64) (History, error) {
	if !from.Before(to) {
		return History{}, problem.Field("range_invalid", "from", "from must be before to.")
	}
	chosen, err := chooseStep(s.now(), from, to, step)
	if err != nil {
		return History{}, err
	}
	blocks, err := s.blocks(ctx, printerID, chosen, from, to)
	if err != nil {
		return History{}, err
	}
	return layOut(blocks, chosen, from, to), nil
}

// blocks gives what is known of a span, in order: from the database, and from memory what is not there yet.
func (s *Service) blocks(ctx context.Context, printerID string, of tier, from, to time.Time) ([]*block, error) {
	var rows []blockRow
	err := s.DB.History.Read.NewSelect().Model(&rows).Where("printer_id = ?", printerID).Where("step = ?", of.step).
		Where("start >= ?", of.startOf(from.Unix())).Where("start <= ?", to.Unix()).OrderExpr("start").Scan(ctx)
	if err != nil {
		return nil, err
	}
	var list []*block
	for _, r := range rows {
		b, err := decodeBlock(r.Data, r.Step, r.Start)
		if err != nil {
			s.log.Warn("history block not readable", "printer", printerID, "step", r.Step, "start", r.Start)
			continue
		}
		list = append(list, b)
	}
	t := s.twinByID(printerID)
	if t == nil {
		return list, nil
	}
	t.mu.Lock()
	open := t.history.clone()
	t.mu.Unlock()
	if len(open.columns) == 0 || open.start > to.Unix() {
		return list, nil
	}
	if of.step != open.step {
		open = rollUp(open, of)
	}
	for _, b := range list {
		if b.start == open.start {
			open.merge(b)
			*b = *open
			return list, nil
		}
	}
	list = append(list, open)
	sort.Slice(list, func(i, j int) bool { return list[i].start < list[j].start })
	return list, nil
}

// layOut makes columns of blocks.
func layOut(blocks []*block, of tier, from, to time.Time) History {
	h := History{From: from.UTC(), To: to.UTC(), Step: of.step, T: []int64{}, Columns: map[string]Series{}}
	names := titles(blocks)
	last := int64(0)
	for _, b := range blocks {
		for place := range b.places {
			at := b.start + int64(place)*b.step
			if at < from.Unix() || at > to.Unix() || at <= last || !b.has(place) {
				continue
			}
			if last != 0 && at > last+of.step {
				h.place(last+of.step, names, nil, 0)
			}
			h.place(at, names, b, place)
			last = at
		}
	}
	for name := range names {
		if h.Columns[name] == nil {
			h.Columns[name] = Series{}
		}
	}
	return h
}

// titles gives the columns of an answer, those of the newest blocks first: a device that calls its heaters by other
// names every minute must not make an answer of gigabytes.
func titles(blocks []*block) map[string]bool {
	names := map[string]bool{}
	for _, b := range slices.Backward(blocks) {
		for i := range b.columns {
			if len(names) < maxColumns {
				names[b.columns[i].title()] = true
			}
		}
	}
	return names
}

func (b *block) has(place int) bool {
	for i := range b.columns {
		if b.columns[i].values[place] != absent {
			return true
		}
	}
	return false
}

// place adds one time to every column; without a block, all of it is null.
func (h *History) place(at int64, names map[string]bool, b *block, place int) {
	h.T = append(h.T, at)
	for name := range names {
		h.Columns[name] = append(h.Columns[name], nil)
	}
	if b == nil {
		return
	}
	for i := range b.columns {
		c := &b.columns[i]
		if v := c.values[place]; v != absent && names[c.title()] {
			h.Columns[c.title()][len(h.T)-1] = c.shown(v)
		}
	}
}

// title is the name of a column in the API.
func (c *column) title() string {
	switch c.kind {
	case kindActual:
		return c.name + ".actual"
	case kindTarget:
		return c.name + ".target"
	}
	return c.name
}

func (c *column) shown(v int16) any {
	switch c.kind {
	case kindActual, kindTarget:
		return float64(v) / 10
	case kindCompletion:
		return float64(v) / 100
	case kindStatus:
		return string(statusOfNumber(v))
	}
	return nil
}
