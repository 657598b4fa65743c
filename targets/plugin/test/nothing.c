/* A shared library that is no plugin. */
int tcpassay_test_nothing(void);
int tcpassay_test_nothing(void)
{
    return 0;
}
