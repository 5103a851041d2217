"""aiortc's end of a call: a tone goes out, and what is heard is told by its loudest frequency.

Speaks on its standard input and output, a line of JSON each way, as the page for browsers does over its socket.
"""

import asyncio
import fractions
import json
import sys

import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

RATE = 48000


class Tone(MediaStreamTrack):
    kind = "audio"
    place = 0
    start = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.start = self.start or loop.time()
        await asyncio.sleep(self.start + self.place / RATE - loop.time())
        when = (self.place + numpy.arange(960)) / RATE
        samples = (8000 * numpy.sin(2 * numpy.pi * 1000 * when)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.place, fractions.Fraction(1, RATE)
        self.place += 960
        return frame


def tell(message):
    print(json.dumps(message), flush=True)


async def listen(track):
    heard = numpy.zeros(0)
    while True:
        frame = await track.recv()
        samples = frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)]
        heard = numpy.concatenate([heard, samples])[-8192:]
        if len(heard) == 8192:
            levels = numpy.abs(numpy.fft.rfft(heard * numpy.hanning(8192)))
            tell({"hertz": float(levels.argmax() * frame.sample_rate / 8192), "decibels": 0})
            heard = heard[2048:]


async def main():
    connection = None
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = []
    while line := await reader.readline():
        message = json.loads(line)
        if "call" in message or ("offer" in message and connection is None):
            connection = RTCPeerConnection()
            connection.on("track", lambda track: tasks.append(asyncio.ensure_future(listen(track))))
            connection.on("connectionstatechange", lambda c=connection: tell({"state": c.connectionState}))
            connection.addTrack(Tone())
        if "call" in message:
            await connection.setLocalDescription(await connection.createOffer())
            tell({"offer": connection.localDescription.sdp})
        elif "offer" in message:
            await connection.setRemoteDescription(RTCSessionDescription(message["offer"], "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
            tell({"answer": connection.localDescription.sdp})
        elif "answer" in message:
            await connection.setRemoteDescription(RTCSessionDescription(message["answer"], "answer"))


asyncio.run(main())
