package webrtc

import (
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v3"
	"github.com/pion/transport/v3/stdnet"
)

// interfacesFor is how long a list of network interfaces is believed: making one
// costs more than the rest of a connection's start.
const interfacesFor = 3 * time.Second

// network shares the list of interfaces among the connections of a hub.
type network struct {
	mu   sync.Mutex
	std  *stdnet.Net
	at   time.Time
	only bool // there is no interface but loopback
}

func newNetwork() *network { return &network{} }

func (n *network) get() (*stdnet.Net, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.std != nil && time.Since(n.at) < interfacesFor {
		return n.std, n.only, nil
	}
	std, err := stdnet.NewNet()
	if err != nil {
		return nil, false, err
	}
	n.std, n.at, n.only = std, time.Now(), true
	list, err := std.Interfaces()
	if err != nil {
		return nil, false, err
	}
	for _, i := range list {
		addrs, err := i.Addrs()
		if err == nil && len(addrs) > 0 && i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 {
			n.only = false
		}
	}
	return std, n.only, nil
}

// tapNet is the network of one transport: its host sockets hand media over directly.
type tapNet struct {
	*stdnet.Net
	t *transportLayer
}

// ListenUDP opens a socket of a host candidate.
func (n *tapNet) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	return newTapConn(c, n.t), nil
}
