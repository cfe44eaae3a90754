"""What the simulator says: a tutor's answers, written down. Data only; `tutor.py` picks among them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One scripted answer.

    `name` is also the name of its recording in `voices/`. `speech` is what is said, and so the transcript,
    where the written `text` would not read well aloud.
    """

    name: str
    text: str
    speech: str = ""

    @property
    def spoken(self) -> str:
        """The words to say aloud."""
        return self.speech or self.text

    def filled(self, **values: str) -> Answer:
        """Return the answer with its `{places}` filled in."""
        return Answer(self.name, self.text.format(**values), self.speech.format(**values))


@dataclass(frozen=True)
class Topic:
    """An answer and the words that ask for it: single words match whole words, phrases match anywhere."""

    answer: Answer
    asks: tuple[str, ...]


HELLO = Answer(
    "hello",
    "Hello, I am the simulator inside azrt-tui: scripted answers, no model, no key, no cost. "
    "The protocol is real, and you can watch all of it in the Events pane. "
    "Ask me about keys, events, interrupting, voice, tools, errors or Azure.",
)

KEYS = Answer(
    "keys",
    "These are the keys that matter.\n"
    "F2 or ctrl+t: microphone on or off\n"
    "escape or F3: interrupt me\n"
    "tab: next pane\n"
    "enter on an event: its JSON; y copies it\n"
    "space in the events: pause, and follow again\n"
    "F1 help, ctrl+p every command, ctrl+q quit",
    "These are the keys that matter. F2 or control T turns the microphone on and off. Escape or F3 interrupts me. "
    "Tab goes to the next pane. On an event, enter opens its JSON, Y copies it, and space pauses the list. "
    "F1 is help, control P has every command, and control Q quits.",
)

EVENTS = Answer(
    "events",
    "Everything on the wire is an event. Your words went out as conversation.item.create, and response.create asked "
    "for this answer. I sent response.created, then the words as deltas, and response.done comes last, with the "
    "token count. Press tab to reach the events and enter to open one as JSON.",
    "Everything on the wire is an event. Your words went out as an item, and a response was asked for. I sent "
    "response created, then the words as deltas, and response done comes last, with the token count. "
    "Press tab to reach the events, and enter to open one as JSON.",
)

INTERRUPT = Answer(
    "interrupt",
    "You can interrupt me at any time. Press escape or F3 while I speak: the client sends response.cancel, and "
    "conversation.item.truncate with the milliseconds that you heard, so that I know what you missed. "
    "With the microphone on, just talk: that is barge-in. To practise, ask me for a long answer and press escape.",
    "You can interrupt me at any time. Press escape or F3 while I speak. The client cancels the response, and "
    "truncates it to the milliseconds that you heard, so that I know what you missed. "
    "With the microphone on, just talk: that is barge in. To practise, ask me for a long answer and press escape.",
)

STORY = Answer(
    "story",
    "Here is a long story, made for interrupting: press escape whenever you like. "
    "Once there was a lighthouse keeper who told passing ships everything he knew: the depth of the bay, the colour "
    "of the cliffs, the names of the gulls. The ships were polite and listened. But the talk was long, and by the "
    "time he came to the rocks, most of them had found one. "
    "One evening a small boat rang its bell in the middle of his third sentence. The keeper stopped at once, and "
    "heard a voice ask: which side of the rocks? Left, he said. It was the shortest thing he had ever said, and the "
    "most useful. From that day on he loved nothing more than to be interrupted. "
    "If you heard the end of this, you did not press escape. Ask again, and try it.",
)

AZURE = Answer(
    "azure",
    "Azure needs three lines in a file named .env:\n"
    "AZURE_OPENAI_ENDPOINT=https://NAME.openai.azure.com\n"
    "AZURE_OPENAI_DEPLOYMENT=the name you gave the realtime deployment\n"
    "AZURE_OPENAI_API_KEY=a key of that resource\n"
    "Then start azrt-tui in that folder. The deployment's name counts, not the model's.",
    "Azure needs three lines in a file named dot env: the endpoint of your resource, the name of your realtime "
    "deployment, and a key of that resource. Then start the program in that folder. "
    "The deployment's name counts, not the model's.",
)

WEATHER = Answer(
    "weather",
    "For the weather I would call a tool, but this session has none that fits. Give the session a function named "
    "get_weather and ask again: you will see its arguments stream in, and its result go back to me.",
    "For the weather I would call a tool, but this session has none that fits. Give the session a function named "
    "get weather and ask again. You will see its arguments stream in, and its result go back to me.",
)

TOOLS = Answer(
    "tools",
    "A tool is a function of yours that I may ask for. I send a function_call item with a name and JSON arguments, "
    "the client runs it and returns a function_call_output item, and I answer with the result. "
    "Ask for something that names a tool of this session, such as the weather.",
    "A tool is a function of yours that I may ask for. I send its name and its arguments, the client runs it and "
    "returns the output, and I answer with the result. "
    "Ask for something that names a tool of this session, such as the weather.",
)

VOICE = Answer(
    "voice",
    "To talk to me, press F2 and speak. I measure how long and how loud you were, but do not recognise words. "
    "My own voice comes from flite or espeak-ng where one is installed, and from a few recordings otherwise. "
    "The voice of the session decides whether I sound higher or lower; it is fixed once I have spoken.",
    "To talk to me, press F2 and speak. I measure how long and how loud you were, but do not recognise words. "
    "My own voice is made on this machine where it can be, and comes from a few recordings otherwise. "
    "The voice of the session decides whether I sound higher or lower. It is fixed once I have spoken.",
)

ERRORS = Answer(
    "errors",
    "An error event says what the service did not accept. It has a code, a message, the parameter at fault and the "
    "id of the event that caused it. The session goes on after it. Errors before the session are plain HTTP: "
    "401 is the key, 404 is the path or the deployment's name.",
    "An error event says what the service did not accept. It has a code, a message, the parameter at fault, and the "
    "event that caused it. The session goes on after it. Before the session, errors are plain HTTP. "
    "401 is the key. 404 is the path, or the deployment's name.",
)

DIALECTS = Answer(
    "dialects",
    "There are two shapes of this API, and the URL decides.\n"
    "GA, the one to use: /openai/v1/realtime?model=DEPLOYMENT\n"
    "Beta, deprecated: /openai/realtime?api-version=...&deployment=DEPLOYMENT\n"
    "GA takes no api-version and names things differently: response.output_audio.delta was response.audio.delta.",
    "There are two shapes of this API, and the URL decides. G A, the one to use, has V1 in its path and takes no "
    "API version. Beta is deprecated and needs one. They name many events differently, so a client of one "
    "does not understand the other.",
)

THANKS = Answer("thanks", "You are welcome. Ask for a long answer to practise interrupting, or press F1 for help.")

FALLBACK = Answer(
    "fallback",
    "I am the simulator, not a model, so I know only what is in my script: keys, events, interrupting, voice, tools, "
    "errors, GA and Beta, and Azure set-up. I can also count to 50, or tell you a long story to interrupt.",
    "I am the simulator, not a model, so I know only what is in my script: keys, events, interrupting, voice, tools, "
    "errors, G A and Beta, and Azure set up. I can also count to 50, or tell you a long story to interrupt.",
)

COUNT = Answer("count", "I count, and you may interrupt: {numbers}.")

TOOL_RESULT = Answer(
    "tool_result",
    "The tool has answered. {name} returned: {output}",
    "The tool has answered. It returned: {output}",
)

HEARD = Answer(
    "heard",
    "I heard you, but I do not recognise words. That was {seconds} s of speech at {level} dB. {lesson}",
    "I heard you, but I do not recognise words. That was {seconds} seconds of speech. {lesson}",
)

SILENCE = Answer(
    "silence",
    "I heard only silence. {seconds} s came in at {level} dB: is the microphone muted? F2 turns it on and off.",
    "I heard only silence. Is the microphone muted? F2 turns it on and off.",
)

LESSONS = (
    "Talk while I speak and I stop at once: that is barge-in.",
    "Type the word keys to see what you can press.",
    "Look at speech_started and speech_stopped among the events: their times are those of the audio you sent.",
    "Type the word azure to see how to reach a real model, which does recognise words.",
)
"""What a spoken turn teaches, one after the other."""

GENERIC = Answer(
    "generic",
    "This is a recording, so these are not the words of the answer. Install flite or espeak-ng to hear every word. "
    "The transcript has them all.",
    "This is a recording, so these are not the words of the answer. Install flite, or e speak, to hear every word. "
    "The transcript has them all.",
)
"""Heard in place of words that have no recording, where no speech program is installed."""

TOPICS = (
    Topic(STORY, ("story", "tale", "long answer", "longer answer", "something long", "talk long", "poem")),
    Topic(
        INTERRUPT, ("interrupt", "interrupting", "interruption", "barge", "escape", "f3", "cancel", "stop", "truncate")
    ),
    Topic(KEYS, ("key", "keys", "keyboard", "shortcut", "shortcuts", "press", "bindings", "f1", "quit", "exit")),
    Topic(
        AZURE,
        ("azure", "env", "setup", "set up", "set-up", "configure", "endpoint", "deployment", "api key", "connect"),
    ),
    Topic(
        DIALECTS,
        ("ga", "beta", "url", "api-version", "api version", "version", "preview", "dialect", "dialects"),
    ),
    Topic(WEATHER, ("weather", "temperature", "rain", "forecast")),
    Topic(TOOLS, ("tool", "tools", "function", "functions")),
    Topic(VOICE, ("voice", "voices", "f2", "microphone", "mic", "speak", "speech", "audio", "sound", "hear", "listen")),
    Topic(ERRORS, ("error", "errors", "wrong", "fail", "failed", "fails", "401", "404", "problem")),
    Topic(EVENTS, ("event", "events", "wire", "json", "protocol", "websocket", "delta", "deltas")),
    Topic(THANKS, ("thanks", "thank", "bye", "goodbye")),
    Topic(
        HELLO,
        ("hello", "hi", "hey", "what is this", "what's this", "who are you", "what are you", "help", "morning"),
    ),
)
"""In order of precedence: of two topics asked for equally often, the first one is answered."""

ANSWERS = (
    *(topic.answer for topic in TOPICS),
    FALLBACK,
    COUNT,
    TOOL_RESULT,
    HEARD,
    SILENCE,
)
"""Every answer that can be given, and so every one that has a recording of its opening sentence."""
