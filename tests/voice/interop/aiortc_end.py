"""aiortc's end of a call: says what it is told to, and tells all that it hears, as 16-bit samples at 48 kHz.

Speaks on its standard input and output, a line of JSON each way, as the page for browsers does over its socket.
"""

import asyncio
import base64
import fractions
import json
import sys

import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

RATE = 48000
# What is said comes in one line.
LONGEST_LINE = 1 << 24


class Voice(MediaStreamTrack):
    kind = "audio"
    place = 0
    start = None
    waiting = numpy.zeros(0, numpy.int16)

    def say(self, samples):
        self.waiting = numpy.concatenate([self.waiting, samples])

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.start = self.start or loop.time()
        await asyncio.sleep(self.start + self.place / RATE - loop.time())
        samples, self.waiting = self.waiting[:960], self.waiting[960:]
        samples = numpy.pad(samples, (0, 960 - len(samples)))
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.place, fractions.Fraction(1, RATE)
        self.place += 960
        return frame


def tell(message):
    print(json.dumps(message), flush=True)


async def listen(track):
    due = None
    while True:
        frame = await track.recv()
        samples = frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)]
        # While nobody speaks nothing is sent, and nothing is decoded: its time is silence.
        pause = 0 if due is None else max(frame.pts - due, 0)
        due = frame.pts + len(samples)
        samples = numpy.concatenate([numpy.zeros(pause, numpy.int16), samples])
        tell({"heard": base64.b64encode(samples.astype("<i2").tobytes()).decode()})


async def main():
    connection, voice = None, Voice()
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = []
    while line := await reader.readline():
        message = json.loads(line)
        if "call" in message or ("offer" in message and connection is None):
            connection = RTCPeerConnection()
            connection.on("track", lambda track: tasks.append(asyncio.ensure_future(listen(track))))
            connection.on("connectionstatechange", lambda c=connection: tell({"state": c.connectionState}))
            connection.addTrack(voice)
        if "call" in message:
            await connection.setLocalDescription(await connection.createOffer())
            tell({"offer": connection.localDescription.sdp})
        elif "offer" in message:
            await connection.setRemoteDescription(RTCSessionDescription(message["offer"], "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
            tell({"answer": connection.localDescription.sdp})
        elif "answer" in message:
            await connection.setRemoteDescription(RTCSessionDescription(message["answer"], "answer"))
        elif "say" in message:
            voice.say(numpy.frombuffer(base64.b64decode(message["say"]), "<i2"))


asyncio.run(main())
