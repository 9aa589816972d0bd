package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// RealGuest is a QEMU guest behind test/real/guest/daemon.py: its own agent is asked, its own disks are cut.
type RealGuest struct{ socket string }

// daemonPatience is longer than anything the daemon does: before a cut it may reboot the guest.
const daemonPatience = 5 * time.Minute

// ask sends one request on a connection of its own, so that a slow one holds up no other.
func (g RealGuest) ask(request Object, reply any) error {
	connection, err := net.Dial("unix", g.socket)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(daemonPatience))
	if err := json.NewEncoder(connection).Encode(request); err != nil {
		return err
	}
	line, err := bufio.NewReader(connection).ReadBytes('\n')
	if err != nil {
		return err
	}
	var status struct {
		OK    bool
		Error string
	}
	if err := json.Unmarshal(line, &status); err != nil {
		return err
	}
	if !status.OK {
		return errors.New(status.Error)
	}
	return json.Unmarshal(line, reply)
}

// Freeze sets none of the daemon's own timers: the launcher's rules are Guest's.
func (g RealGuest) Freeze() error { return g.ask(Object{"op": "freeze", "timeout": 0}, &Object{}) }

// Thaw asks the agent.
func (g RealGuest) Thaw() error { return g.ask(Object{"op": "thaw"}, &Object{}) }

// Frozen is what the agent says; it is not known while the agent does not answer.
func (g RealGuest) Frozen() (frozen, known bool) {
	var status struct{ Frozen *bool }
	if err := g.ask(Object{"op": "status"}, &status); err != nil || status.Frozen == nil {
		return false, false
	}
	return *status.Frozen, true
}

// Connected tells whether the agent has its port open, which is what libvirt reports to the launcher.
func (g RealGuest) Connected() (bool, error) {
	var status struct{ Agent bool }
	err := g.ask(Object{"op": "agent"}, &status)
	return status.Agent, err
}

// Cut captures the disk of a volume "namespace/vm-disk-<number>" at one instant.
func (g RealGuest) Cut(volume string) error {
	number, err := strconv.Atoi(volume[strings.LastIndex(volume, "-")+1:])
	if err != nil {
		return fmt.Errorf("volume %q: its name must end in the disk's number", volume)
	}
	return g.ask(Object{"op": "cut", "disk": string(rune('A' + number))}, &Object{})
}

// agentInterval is how soon the launcher hears from libvirt that the agent has come or gone.
const agentInterval = 100 * time.Millisecond

// followAgent reports when the agent of a real guest comes and goes, as long as that guest runs.
func (m *Machines) followAgent(key string, guest *Guest, qemu RealGuest, said bool) {
	ns, name, _ := strings.Cut(key, "/")
	for ticker := time.NewTicker(agentInterval); ; <-ticker.C {
		connected, err := qemu.Connected()
		if m.Find(ns, name) != guest {
			ticker.Stop()
			return
		}
		if err == nil && connected != said && m.SetAgent(context.Background(), ns, name, connected) == nil {
			said = connected
			m.truth.Note("agent", key, map[bool]string{true: "connected", false: "disconnected"}[connected])
		}
	}
}

// Cut captures a disk of a real guest; of any other there is nothing to capture.
func (m *Machines) Cut(volume string) error {
	m.mu.Lock()
	socket := m.all[machineOf(volume)].Guest
	m.mu.Unlock()
	if socket == "" {
		return nil
	}
	return RealGuest{socket}.Cut(volume)
}

// machineOf is the "namespace/vm" of a volume "namespace/vm-disk-<number>" or "namespace/vm-hot-<number>".
func machineOf(volume string) string {
	return volume[:max(strings.LastIndex(volume, "-disk-"), strings.LastIndex(volume, "-hot-"), 0)]
}
