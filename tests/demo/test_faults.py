import pytest

from tellback.demo.faults import FAULTS


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_really_raises_from_a_few_frames_deep(name: str) -> None:
    with pytest.raises(Exception) as caught:
        FAULTS[name]()
    assert len(caught.traceback) >= 2


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_one_title(name: str) -> None:
    titles = set()
    for _ in range(3):
        with pytest.raises(Exception) as caught:
            FAULTS[name]()
        titles.add(f"{caught.type.__name__}: {caught.value}")
    assert len(titles) == 1


def test_the_broken_release_cannot_import() -> None:
    with pytest.raises(ModuleNotFoundError, match="rigmath"):
        FAULTS["import_broken"]()
