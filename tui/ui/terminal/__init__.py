"""What rests on private parts of Textual; ``tests/ui/terminal/test_textual_contract.py`` names each of them."""
