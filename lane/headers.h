/* The headers of an Ethernet frame: IPv4 without options or IPv6 without extensions, at most one 802.1Q tag.

   Says of a frame what `headers` and the loop of amtdecode/engine/loop.py say. */

#ifndef LANE_HEADERS_H
#define LANE_HEADERS_H

#include "cursor.h"

enum { TCP = 6, UDP = 17 };
enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10, FLAGS = FIN | SYN | RST | ACK };

#define NO_SEGMENT (1 << 20) /* more bytes than a packet can have */

typedef struct {
    int protocol;   /* 0 where anything is irregular */
    int whole;      /* all bytes that the packet says it has were captured */
    span key;       /* addresses and ports, 12 or 36 bytes */
    uint32_t seq, ack;
    int flags;
    int vlan;       /* -1 without a tag */
    int32_t total;  /* length of an IPv4 packet with this segment */
    int32_t size;   /* bytes of payload; negative where the lengths contradict each other */
    span addressed; /* addresses and segment, as the checksum takes them; empty where the segment is not whole */
} headers;

void read_headers(span frame, headers *found);

/* The payload of a whole segment. */
static inline span
payload(const headers *packet)
{
    return part(packet->addressed, packet->addressed.size - (size_t)packet->size, (size_t)packet->size);
}

/* Whether the checksum of a whole segment is wrong, and no sender's work for its network card either. `addressed` is the
   segment with its packet's addresses in front, which take `addresses` bytes. */
int checksum_is_bad(span addressed, size_t addresses);

#endif
