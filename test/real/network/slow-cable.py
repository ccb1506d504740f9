"""A cable that takes its time, between two cards of the network namespace that it runs in.

Every frame, of whatever kind, arrives after DELAY and at most JITTER milliseconds more, each by itself: later ones
overtake earlier ones, as on a bad radio link. (Not `tc netem`: not every kernel has it.)

usage: slow-cable.py CARD CARD DELAY_MS JITTER_MS. Prints {"carried": N, "overtaken": M}, at first with zeros, then
whenever that changed; ends with its standard input.
"""

import heapq
import json
import random
import selectors
import socket
import sys
import time

ETH_P_ALL = 0x0003
SOL_PACKET = 263
# Checksums and segments that the sender left to its card stay as they are.
PACKET_VNET_HDR = 15
PACKET_OUTGOING = 4
MOST_BYTES = 65_536 + 64
MOST_WAITING = 20_000
TELL_SECONDS = 0.2


def open_card(name):
    card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    card.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    card.bind((name, ETH_P_ALL))
    card.setblocking(False)
    return card


def frames(card):
    while True:
        try:
            frame, address = card.recvfrom(MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            return  # The card is down.
        if address[2] != PACKET_OUTGOING:
            yield frame


def send(card, frame):
    try:
        card.send(frame)
    except OSError:
        pass  # Lost, as on any cable.


def main():
    one, other, delay_ms, jitter_ms = sys.argv[1:]
    cards = (open_card(one), open_card(other))
    waiting = []
    entered = 0
    last_out = {0: -1, 1: -1}
    told = {"carried": 0, "overtaken": 0}
    print(json.dumps(told), flush=True)
    tell_at = time.monotonic() + TELL_SECONDS
    said = 0

    selector = selectors.DefaultSelector()
    for index, card in enumerate(cards):
        selector.register(card, selectors.EVENT_READ, index)
    selector.register(sys.stdin, selectors.EVENT_READ, None)

    while True:
        now = time.monotonic()
        due = waiting[0][0] if waiting else now + 3600
        if said != told["carried"]:
            due = min(due, tell_at)
        for key, _ in selector.select(max(0.0, due - now)):
            if key.data is None:
                if sys.stdin.buffer.raw.read(4096) == b"":
                    return
                continue
            now = time.monotonic()
            for frame in frames(cards[key.data]):
                if len(waiting) >= MOST_WAITING:
                    continue
                after = (float(delay_ms) + random.random() * float(jitter_ms)) / 1000
                heapq.heappush(waiting, (now + after, entered, key.data, frame))
                entered += 1
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, number, came_in, frame = heapq.heappop(waiting)
            send(cards[1 - came_in], frame)
            told["carried"] += 1
            if number < last_out[came_in]:
                told["overtaken"] += 1
            last_out[came_in] = max(last_out[came_in], number)
        if now >= tell_at and said != told["carried"]:
            print(json.dumps(told), flush=True)
            said = told["carried"]
            tell_at = now + TELL_SECONDS


main()
