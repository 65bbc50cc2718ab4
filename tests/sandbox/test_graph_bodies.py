"""The simulated Graph's texts: rewritten once, and then stable (M-63, R20)."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.sandbox.graph import bodies

WORDS = st.text(alphabet="ab <>&\"'\n\r\t\xa0é;#-/!?[]", max_size=60)


@given(WORDS)
@example("a\n\n\n\nb")
@example("<!-- x --><p>")
@example("<![CDATA[a]]>")
@settings(max_examples=100, deadline=None)
def test_m63_a_text_read_back_and_written_again_stays_the_same(text):
    once = bodies.as_text(bodies.stored(text, "text"))
    assert bodies.as_text(bodies.stored(once, "text")) == once
    assert once.split() == text.split()


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<br>",
                "<div>",
                "</div>",
                "<b>x</b>",
                "text ",
                "<script>",
                "</script>",
                "&amp;",
                "<!--",
                "-->",
                "\n",
            ]
        )
    )
)
@settings(max_examples=100, deadline=None)
def test_m63_html_read_back_and_written_again_stays_the_same(parts):
    once = bodies.stored("".join(parts), "html")
    assert bodies.stored(once, "html") == once
    assert "<script" not in once
