"""A token is of what was shown: all of it, in its order, each piece by itself."""

from agent_where.shown import token_of


def test_the_same_has_the_same_token_and_a_person_can_copy_it() -> None:
    assert token_of("an epoch", "a sentence") == token_of("an epoch", "a sentence")
    assert len(token_of()) == 12
    assert token_of("ä").isalnum()


def test_whatever_is_shown_otherwise_has_another_token() -> None:
    shown = [(), ("",), ("a", "b"), ("b", "a"), ("ab",), ("a", "b", ""), ('a", "b',), ("a\nb",)]

    assert len({token_of(*each) for each in shown}) == len(shown)
