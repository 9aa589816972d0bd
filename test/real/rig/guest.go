package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Filesystems are what a freeze stops: those of a real guest, reached through its agent, or none.
type Filesystems interface {
	Freeze() error
	Thaw() error
	Frozen() (frozen, known bool)
}

// noFilesystems stands in where no QEMU guest runs: it only takes its time.
type noFilesystems struct{ freeze, thaw time.Duration }

func (f noFilesystems) Freeze() error { time.Sleep(f.freeze); return nil }
func (f noFilesystems) Thaw() error   { time.Sleep(f.thaw); return nil }

// Frozen leaves it to the launcher's own record.
func (f noFilesystems) Frozen() (frozen, known bool) { return false, false }

// callError is a reply of virt-api other than success.
type callError struct {
	status  int
	message string
}

func (e *callError) Error() string { return e.message }

const (
	virtAPIPatience  = 10 * time.Second // virt-api gives up on the launcher
	launcherPatience = 60 * time.Second // the launcher gives up on the agent
	vssLimit         = 10 * time.Second // Windows thaws by itself
	vssMessage       = "fsfreeze is limited up to 10 seconds"
)

// GuestFault hits Count calls of Operation by Caller (anyone's when it is empty), from the Nth from now on; -1: all.
type GuestFault struct {
	Operation string `json:"operation"`
	Kind      string `json:"kind"` // fail, halfway, late
	Nth       int    `json:"nth"`
	Count     int    `json:"count"`
	Delay     int    `json:"delay"` // of late, milliseconds
	Caller    string `json:"caller"`

	seen int
}

// Guest is a running virt-launcher with KubeVirt's rules of freeze and unfreeze (v1.6 to v1.9).
type Guest struct {
	name        string // "namespace/vm"
	windows     bool
	filesystems Filesystems
	truth       *Truth

	launcher sync.Mutex // the agent carries out one call at a time

	mu        sync.Mutex
	running   bool
	ending    bool // it shuts down
	paused    bool
	migrating bool
	frozen    bool
	frozenAt  time.Time
	timer     *time.Timer
	faults    []*GuestFault
}

// Freeze is PUT .../freeze. A frozen guest answers success and keeps its timer; 0 means no timer; a fraction is cut off.
func (g *Guest) Freeze(timeout time.Duration, by string) error {
	if err := g.refuse(); err != nil {
		return err
	}
	return g.bounded(func(whole bool) error { return g.freezeNow(timeout, by, whole) }, g.takeFault("freeze", by), "freeze")
}

// Unfreeze is PUT .../unfreeze: it cancels the timer first, and answers success on a thawed guest.
func (g *Guest) Unfreeze(by string) error {
	g.mu.Lock()
	running := g.running
	g.mu.Unlock()
	if !running {
		return &callError{409, "VMI is not running"}
	}
	return g.bounded(func(bool) error { return g.thawNow(by) }, g.takeFault("unfreeze", by), "unfreeze")
}

func (g *Guest) refuse() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.running {
		return &callError{409, "VMI is not running"}
	}
	if g.migrating {
		return &callError{409, "VMI is migrating"}
	}
	return nil
}

// bounded runs a launcher's call as long as virt-api waits; it goes on when virt-api has given up.
// Of a call that fails half-way only a part is carried out.
func (g *Guest) bounded(call func(whole bool) error, fault *GuestFault, operation string) error {
	done := make(chan error, 1)
	go func() {
		if fault != nil && fault.Kind == "late" {
			time.Sleep(min(time.Duration(fault.Delay)*time.Millisecond, launcherPatience))
		}
		if fault != nil && fault.Kind == "fail" {
			g.disarm(operation)
			done <- errors.New(operation + " failed on demand")
			return
		}
		if err := g.awaitAgent(); err != nil {
			done <- err
			return
		}
		g.launcher.Lock()
		defer g.launcher.Unlock()
		halfway := fault != nil && fault.Kind == "halfway"
		err := call(!halfway)
		if err == nil && halfway {
			g.disarm("unfreeze")
			err = errors.New(operation + " failed half-way on demand")
		}
		done <- err
	}()
	select {
	case err := <-done:
		var reply *callError
		if err == nil || errors.As(err, &reply) {
			return err
		}
		return &callError{500, err.Error()}
	case <-time.After(virtAPIPatience):
		return &callError{500, operation + ": the launcher did not answer in time"}
	}
}

// awaitAgent returns when the agent can answer: that of a paused guest cannot.
func (g *Guest) awaitAgent() error {
	for deadline := time.Now().Add(launcherPatience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		g.mu.Lock()
		running, paused := g.running, g.paused
		g.mu.Unlock()
		if !running {
			return errors.New("the domain is gone")
		}
		if !paused {
			return nil
		}
	}
	return errors.New("Guest agent is not responding")
}

func (g *Guest) freezeNow(timeout time.Duration, by string, whole bool) error {
	if g.Frozen() {
		return nil
	}
	if err := g.filesystems.Freeze(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frozen, g.frozenAt = true, time.Now()
	g.truth.Froze(g.name, by, whole)
	if g.windows {
		time.AfterFunc(vssLimit, g.vssGivesUp)
	}
	if seconds := timeout.Truncate(time.Second); seconds > 0 {
		g.timer = time.AfterFunc(seconds, func() { _ = g.thawNow("timer") })
	}
	return nil
}

func (g *Guest) thawNow(by string) error {
	g.disarm("unfreeze")
	frozen := g.Frozen()
	g.mu.Lock()
	lapsed := g.windows && !g.frozenAt.IsZero() && !frozen
	g.frozenAt = time.Time{}
	g.mu.Unlock()
	if lapsed {
		return errors.New(vssMessage)
	}
	if !frozen {
		g.markThawed("itself") // a real guest may have been reset, or thawed from inside
		return nil
	}
	if err := g.filesystems.Thaw(); err != nil {
		return err
	}
	g.markThawed(by)
	return nil
}

func (g *Guest) vssGivesUp() {
	g.mu.Lock()
	frozen := g.frozen && time.Since(g.frozenAt) >= vssLimit-time.Millisecond
	g.mu.Unlock()
	if frozen && g.filesystems.Thaw() == nil {
		g.markThawed("vss")
	}
}

func (g *Guest) markThawed(by string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.frozen {
		g.frozen = false
		g.truth.Thawed(g.name, by)
	}
}

func (g *Guest) disarm(operation string) {
	if operation != "unfreeze" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
}

// beginShutDown is true for the first who begins it.
func (g *Guest) beginShutDown() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.ending
	g.ending = true
	return first
}

// PowerOff ends the guest, and tells whether it had power: nothing of it is frozen any more, and its timer is gone.
func (g *Guest) PowerOff() (had bool) {
	g.disarm("unfreeze")
	g.mu.Lock()
	had = g.running
	g.running, g.frozenAt = false, time.Time{}
	g.mu.Unlock()
	g.markThawed("power-off")
	return had
}

// SetPaused stops or continues it.
func (g *Guest) SetPaused(paused bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused = paused
}

// SetMigrating says whether it is on its way to another launcher; at the end of it the timer is left behind.
func (g *Guest) SetMigrating(migrating bool) {
	if !migrating {
		g.disarm("unfreeze")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.migrating = migrating
}

// Frozen tells what virt-handler's poll of the agent would see; of an agent that does not answer, what was known last.
func (g *Guest) Frozen() bool {
	if frozen, known := g.filesystems.Frozen(); known {
		return frozen
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.frozen
}

// AddFault plants a fault; an unknown one is an error that names it.
func (g *Guest) AddFault(fault GuestFault) error {
	if fault.Operation != "freeze" && fault.Operation != "unfreeze" {
		return fmt.Errorf("operation: %q must be freeze or unfreeze", fault.Operation)
	}
	switch fault.Kind {
	case "fail", "halfway", "late":
	default:
		return fmt.Errorf("kind: %q must be fail, halfway or late", fault.Kind)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, &fault)
	return nil
}

func (g *Guest) takeFault(operation, by string) *GuestFault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, fault := range g.faults {
		if fault.Operation != operation || (fault.Caller != "" && fault.Caller != by) {
			continue
		}
		fault.seen++
		if fault.seen >= fault.Nth && (fault.Count < 0 || fault.seen < fault.Nth+fault.Count) {
			return fault
		}
	}
	return nil
}
