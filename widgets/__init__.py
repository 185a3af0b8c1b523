"""A workbook on local treatment of colorectal liver metastases."""
