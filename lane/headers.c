#include "headers.h"

enum { ETHERNET = 14, TAG = 4, IPV4_SIZE = 20, IPV6_SIZE = 40, TCP_SIZE = 20 };
enum { IPV4 = 0x0800, IPV6 = 0x86DD, VLAN = 0x8100 };
enum { PLAIN = 0x45, PIECES = 0x3FFF };

/* Length of an IPv4 packet whose segment, with this data offset, has no payload (RFC 9293, section 3.1). */
static int32_t
bare(unsigned offset)
{
    return offset >> 4 >= 5 && !(offset & 0x0E) ? 20 + (int32_t)(offset >> 4) * 4 : NO_SEGMENT;
}

static void
read_segment(span frame, size_t segment, size_t addresses, headers *found)
{
    found->key = part(frame, segment - addresses, addresses + 4);
    found->seq = big32(frame, segment + 4);
    found->ack = big32(frame, segment + 8);
    found->flags = (int)byte_at(frame, segment + 13);
    found->size = found->total - bare(byte_at(frame, segment + 12));
    found->whole = found->total >= 20 && holds(frame, segment, (size_t)found->total - 20);
    found->addressed = part(frame, segment - addresses, found->whole ? addresses + (size_t)found->total - 20 : 0);
}

static void
read_ipv4(span frame, size_t at, headers *found)
{
    if (big16(frame, at + 6) & PIECES)
        return;
    found->total = (int32_t)big16(frame, at + 2);
    read_segment(frame, at + IPV4_SIZE, 8, found);
    found->protocol = (int)byte_at(frame, at + 9);
}

static void
read_ipv6(span frame, size_t at, headers *found)
{
    unsigned length = big16(frame, at + 4);
    if (byte_at(frame, at) >> 4 != 6 || length < TCP_SIZE || !holds(frame, at + IPV6_SIZE, length))
        return;
    found->total = (int32_t)length + 20;
    read_segment(frame, at + IPV6_SIZE, 32, found);
    found->protocol = (int)byte_at(frame, at + 6);
}

void
read_headers(span frame, headers *found)
{
    unsigned kind = big16(frame, 12);
    size_t at = ETHERNET;
    found->protocol = 0;
    found->vlan = -1;
    if (!holds(frame, 0, ETHERNET + IPV4_SIZE + TCP_SIZE))
        return;
    if (kind == IPV4 && byte_at(frame, at) == PLAIN) {
        read_ipv4(frame, at, found);
        return;
    }
    if (kind == VLAN) {
        at += TAG;
        if (!holds(frame, at, IPV4_SIZE + TCP_SIZE))
            return;
        found->vlan = (int)big16(frame, ETHERNET) & 0x0FFF;
        kind = big16(frame, ETHERNET + 2);
        if (kind == IPV4 && byte_at(frame, at) == PLAIN) {
            read_ipv4(frame, at, found);
            if (found->protocol && (!found->whole || found->total < IPV4_SIZE + TCP_SIZE))
                found->protocol = 0;
            return;
        }
    }
    if (kind == IPV6 && holds(frame, at, IPV6_SIZE + TCP_SIZE))
        read_ipv6(frame, at, found);
}

/* The sum of 16-bit words (RFC 1071); an odd last byte is padded with zero. */
static uint64_t
word_sum(span bytes)
{
    uint64_t sum = 0;
    size_t at;
    for (at = 0; at + 1 < bytes.size; at += 2)
        sum += big16(bytes, at);
    if (at < bytes.size)
        sum += (uint64_t)byte_at(bytes, at) << 8;
    return sum;
}

int
checksum_is_bad(span addressed, size_t addresses)
{
    uint64_t pseudo = 6 + addressed.size - addresses; /* protocol and length */
    if ((word_sum(addressed) + pseudo) % 0xFFFF == 0)
        return 0;
    return big16(addressed, addresses + 16) % 0xFFFF != (word_sum(part(addressed, 0, addresses)) + pseudo) % 0xFFFF;
}
