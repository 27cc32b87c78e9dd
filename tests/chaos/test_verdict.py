"""The judge finds what it is there to find: a chaos run that cannot fail would prove nothing."""

from __future__ import annotations

from tests.chaos.verdict import Said, judge

A = Said(label="a", person="P", bubbles=2, began=1, acked=2)
B = Said(label="b", person="P", bubbles=2, began=3, acked=4)
BESIDE_A = Said(label="c", person="P", bubbles=1, began=1, acked=5)


def test_answers_whole_once_and_in_order_are_clean() -> None:
    """Nothing is complained about when every promise held."""
    assert judge([A, B], {"P": ["a 0 x", "a 1 x", "b 0 y", "b 1 y"]}).is_clean


def test_an_acknowledged_message_without_an_answer_is_lost() -> None:
    """Each bubble that never came is a loss."""
    assert len(judge([A], {"P": []}).lost) == 2


def test_a_message_that_was_never_acknowledged_is_not_lost() -> None:
    """Linq still has it, or gave it up; linqbot promised nothing."""
    assert judge([Said(label="a", person="P", bubbles=2, began=1)], {"P": []}).is_clean


def test_half_an_answer_is_a_loss_even_without_an_acknowledgement() -> None:
    """A message that was answered in part was accepted, so the rest is owed."""
    assert len(judge([Said(label="a", person="P", bubbles=2, began=1)], {"P": ["a 0 x"]}).lost) == 1


def test_a_message_in_the_dead_letters_is_not_lost() -> None:
    """It was given up where an operator sees it, and can be replayed."""
    assert judge([Said(label="a", person="P", bubbles=2, began=1, acked=2, given_up=True)], {"P": ["a 0 x"]}).is_clean


def test_a_second_wording_of_a_bubble_is_a_duplicate() -> None:
    """Two bubbles of one position are one too many, whatever they say."""
    assert len(judge([A], {"P": ["a 0 x", "a 1 x", "a 0 z"]}).duplicated) == 1


def test_bubbles_of_one_answer_in_the_wrong_order_are_reordered() -> None:
    """The positions of an answer rise."""
    assert judge([A], {"P": ["a 1 x", "a 0 x"]}).reordered


def test_answers_that_mix_are_reordered() -> None:
    """One answer is said to its end before the next begins."""
    assert judge([A, B], {"P": ["a 0 x", "b 0 y", "a 1 x", "b 1 y"]}).reordered


def test_a_later_message_answered_first_is_reordered() -> None:
    """What was acknowledged before the other's first delivery is answered before it."""
    assert judge([A, B], {"P": ["b 0 y", "b 1 y", "a 0 x", "a 1 x"]}).reordered


def test_messages_delivered_at_the_same_time_may_come_in_any_order() -> None:
    """Where deliveries overlapped nobody can know which was accepted first."""
    assert judge([A, BESIDE_A], {"P": ["c 0 z", "a 0 x", "a 1 x"]}).is_clean
