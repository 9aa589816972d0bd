package main

import (
	"sync"
	"time"
)

// Truth is what really happened to guests and disks, on the rig's own monotonic clock. Nobody under test sees it.
type Truth struct {
	mu     sync.Mutex
	start  time.Time
	frozen map[string][]*FrozenInterval // "namespace/vm"
	events []Event
}

// FrozenInterval has times in milliseconds since the rig's start.
type FrozenInterval struct {
	From     float64  `json:"from_ms"`
	Until    *float64 `json:"until_ms"` // null: frozen still
	FrozenBy string   `json:"frozen_by"`
	ThawedBy string   `json:"thawed_by"`
	Whole    bool     `json:"whole"`
}

// Event is one line of the timeline.
type Event struct {
	At     float64 `json:"ms"`
	Kind   string  `json:"kind"`
	Object string  `json:"object"`
	Detail string  `json:"detail"`
}

// NewTruth starts the clock.
func NewTruth() *Truth {
	return &Truth{start: time.Now(), frozen: map[string][]*FrozenInterval{}, events: []Event{}}
}

func (t *Truth) now() float64 { return float64(time.Since(t.start).Microseconds()) / 1000 }

// Froze records that the guest's filesystems stopped writing.
func (t *Truth) Froze(vm, by string, whole bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frozen[vm] = append(t.frozen[vm], &FrozenInterval{From: t.now(), FrozenBy: by, Whole: whole})
	t.events = append(t.events, Event{t.now(), "freeze", vm, by})
}

// Thawed records that they write again.
func (t *Truth) Thawed(vm, by string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	intervals := t.frozen[vm]
	if len(intervals) == 0 || intervals[len(intervals)-1].Until != nil {
		return
	}
	now := t.now()
	last := intervals[len(intervals)-1]
	last.Until, last.ThawedBy = &now, by
	t.events = append(t.events, Event{now, "thaw", vm, by})
}

// Note adds a line to the timeline.
func (t *Truth) Note(kind, object, detail string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, Event{t.now(), kind, object, detail})
}

// Held records who has a disk, "namespace/claim", and may write it: "vm namespace/name" or "pod namespace/name".
func (t *Truth) Held(claim, by string, on bool) {
	t.Note(map[bool]string{true: "hold", false: "let-go"}[on], claim, by)
}

// Guests is what happened by guest, as JSON.
func (t *Truth) Guests() Object {
	t.mu.Lock()
	defer t.mu.Unlock()
	guests := Object{}
	for vm, intervals := range t.frozen {
		list := []FrozenInterval{}
		for _, interval := range intervals {
			list = append(list, *interval)
		}
		guests[vm] = Object{"intervals": list}
	}
	return guests
}

// Timeline is everything that happened, in order.
func (t *Truth) Timeline() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Event{}, t.events...)
}
