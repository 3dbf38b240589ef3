package egress

import "net/netip"

// reserved are the blocks that are not for the public internet, besides those
// that netip knows (IANA's special-purpose address registries).
var reserved = prefixes(
	"0.0.0.0/8",       // this network (RFC 791)
	"100.64.0.0/10",   // shared by carriers (RFC 6598)
	"192.0.0.0/24",    // protocol assignments (RFC 6890)
	"192.0.2.0/24",    // documentation (RFC 5737)
	"198.18.0.0/15",   // benchmarks (RFC 2544)
	"198.51.100.0/24", // documentation (RFC 5737)
	"203.0.113.0/24",  // documentation (RFC 5737)
	"240.0.0.0/4",     // reserved, and broadcast (RFC 1112)
	"::/96",           // IPv4-compatible (RFC 4291)
	"64:ff9b:1::/48",  // local translation to IPv4 (RFC 8215)
	"100::/64",        // discard only (RFC 6666)
	"2001::/23",       // protocol assignments, with Teredo (RFC 2928)
	"2001:db8::/32",   // documentation (RFC 3849)
	"3fff::/20",       // documentation (RFC 9637)
	"fec0::/10",       // site-local (RFC 3879)
)

// Blocks of IPv6 in whose addresses an IPv4 address stands, which is reached by
// them: from which byte on.
var embedding = map[netip.Prefix]int{
	netip.MustParsePrefix("64:ff9b::/96"): 12, // NAT64 (RFC 6052)
	netip.MustParsePrefix("2002::/16"):    2,  // 6to4 (RFC 3056)
}

// Public says whether an address belongs to the public internet.
func Public(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() {
		return false
	}
	for block, at := range embedding {
		if block.Contains(addr) {
			bytes := addr.As16()
			return Public(netip.AddrFrom4([4]byte(bytes[at : at+4])))
		}
	}
	for _, block := range reserved {
		if block.Contains(addr) {
			return false
		}
	}
	return true
}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for k, text := range texts {
		list[k] = netip.MustParsePrefix(text)
	}
	return list
}
