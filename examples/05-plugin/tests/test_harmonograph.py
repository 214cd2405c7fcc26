"""Does it keep the contract? `perform.testing` knows; this is all the test a source needs."""

from perform_harmonograph import Harmonograph

from perform.testing import check_source


def test_it_keeps_the_contract() -> None:
    check_source(Harmonograph, repeatable=True)
