"""The page of public names lists the names of the packages as they are."""

from interface_page import PAGE, updated


def test_the_page_lists_the_public_names_of_all_packages() -> None:
    page = PAGE.read_text()
    assert updated(page) == page, "run `make interface`"
